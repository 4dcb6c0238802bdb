/** Places of a page that are made from the code; what is around them is written by hand. */
import assert from "node:assert/strict";

/** Text of each place of a page, by its name. */
export type Places = Readonly<Record<string, string>>;

/** The name stands in the mark, so that whoever edits the page sees where its text comes from. */
const PLACE = /^(<!-- made by `npm run reference`: ([\w-]+) -->)\n[\s\S]*?^(<!-- end -->)$/gm;

/** The page with its places filled. Throws where a place is not filled, or a text has no place. */
export function fillPage(page: string, places: Places): string {
  const marked = [...page.matchAll(PLACE)].map(([, , name = ""]) => name);
  assert.deepEqual(marked.toSorted(), Object.keys(places).sort(), "the marked places, and the texts for them");
  return page.replaceAll(PLACE, (_, start: string, name: string, end: string) => `${start}\n${places[name]}\n${end}`);
}

/** A table of Markdown. Cells are Markdown already; an empty one is a dash. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell || "–").join(" | ")} |`;
  for (const row of rows) {
    assert.equal(row.length, header.length, `a row of ${header.length} cells: ${row.join(" | ")}`);
    assert.doesNotMatch(row.join(""), /[|\n]/, "a cell holds neither | nor the end of a line");
  }
  return [line(header), `|${"---|".repeat(header.length)}`, ...rows.map(line)].join("\n");
}

/** As code; nothing is nothing. */
export function code(...words: readonly string[]): string {
  return words
    .filter((word) => word !== "")
    .map((word) => `\`${word}\``)
    .join(", ");
}

/** What is written by hand about rows of the code must be about each, and about no other. */
export function assertExplained(explained: readonly string[], fromCode: readonly string[], where: string): void {
  const missing = fromCode.filter((row) => !explained.includes(row));
  const unknown = explained.filter((row) => !fromCode.includes(row));
  assert.deepEqual({ missing, unknown }, { missing: [], unknown: [] }, `${where} explains what the code has`);
}
