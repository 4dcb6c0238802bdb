/** Fills the generated places of a page. The text around them is written by hand. */
import assert from "node:assert/strict";

/** Text of each place of a page, by its name. */
export type Places = Readonly<Record<string, string>>;

/** The mark contains the name, so that an editor of the page sees where the text comes from. */
const PLACE = /^(<!-- made by `npm run reference`: ([\w-]+) -->)\n[\s\S]*?^(<!-- end -->)$/gm;

/** Returns the page with its places filled. Throws if a place has no text, or a text has no place. */
export function fillPage(page: string, places: Places): string {
  const marked = [...page.matchAll(PLACE)].map(([, , name = ""]) => name);
  assert.deepEqual(marked.toSorted(), Object.keys(places).sort(), "the marked places, and the texts for them");
  return page.replaceAll(PLACE, (_, start: string, name: string, end: string) => `${start}\n${places[name]}\n${end}`);
}

/** Writes a Markdown table. Cells are Markdown already. An empty cell becomes a dash. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell || "–").join(" | ")} |`;
  for (const row of rows) {
    assert.equal(row.length, header.length, `a row of ${header.length} cells: ${row.join(" | ")}`);
    assert.doesNotMatch(row.join(""), /[|\n]/, "a cell holds neither | nor the end of a line");
  }
  return [line(header), `|${"---|".repeat(header.length)}`, ...rows.map(line)].join("\n");
}

/** Formats words as code. Omits empty words. */
export function code(...words: readonly string[]): string {
  return words
    .filter((word) => word !== "")
    .map((word) => `\`${word}\``)
    .join(", ");
}

/** Asserts that the hand-written explanations cover exactly the rows of the code. */
export function assertExplained(explained: readonly string[], fromCode: readonly string[], where: string): void {
  const missing = fromCode.filter((row) => !explained.includes(row));
  const unknown = explained.filter((row) => !fromCode.includes(row));
  assert.deepEqual({ missing, unknown }, { missing: [], unknown: [] }, `${where} explains what the code has`);
}

/** Names in the help texts of settings, which are plain text because terminals print them. */
const NAME_IN_HELP =
  /keyvault-injector\.dev\/[a-z-]+|--[a-z][a-z-]*[a-z]|\/(?:livez|readyz|metrics)\b|\b(?:secretObjects|cloudName|cloudEnvFileName|useAzureTokenProxy)\b|(?<= )\.(?:crt|key)\b|\*(?= means)/g;

/** Formats the names in a help text as code. */
export function withNamesAsCode(help: string): string {
  return help.replaceAll(NAME_IN_HELP, (name) => `\`${name}\``);
}
