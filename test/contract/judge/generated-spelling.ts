/** One list of objects in many spellings of YAML, some of them wrong. */
import type { Random } from "../../support/fixtures/random.ts";
import type { WrittenObject } from "./generated-class.ts";

const plainLines = ({ lines }: WrittenObject): readonly string[] => lines.map(([key, value]) => `${key}: ${value}`);

const ITEM_SPELLINGS: Readonly<Record<string, (object: WrittenObject) => string>> = {
  block: (object) => plainLines(object).join("\n"),
  "quoted keys": ({ lines }) => lines.map(([key, value]) => `"${key}": ${value}`).join("\n"),
  "explicit keys": ({ lines }) => lines.map(([key, value]) => `? ${key}\n: ${value}`).join("\n"),
  flow: (object) => `{${plainLines(object).join(", ")}}`,
  "flow on lines": (object) => `{\n  ${plainLines(object).join(",\n  ")},\n}`,
  comments: (object) => `# object\n\n${plainLines(object).join(" # said\n")}\n# end`,
  spaces: ({ lines }) => lines.map(([key, value]) => `${key} :   ${value}  `).join("\n"),
  indented: (object) =>
    plainLines(object)
      .map((line) => `   ${line}`)
      .join("\n"),
  "CR LF": (object) => plainLines(object).join("\r\n"),
  document: (object) => `---\n${plainLines(object).join("\n")}\n---\nobjectName: second\n`,
  "anchors and tags": ({ lines }) => lines.map(([key, value]) => `${key}: &${key.slice(0, 7)} ${value}`).join("\n"),
};

/** Common mistakes. */
const WRONG_ITEM_SPELLINGS: Readonly<Record<string, (object: WrittenObject) => string>> = {
  "no blank after the colon": ({ lines }) => lines.map(([key, value]) => `${key}:${value}`).join("\n"),
  "a key twice": (object) => [...plainLines(object), ...plainLines(object).slice(0, 1)].join("\n"),
  "a list": (object) => `- ${plainLines(object).join("\n- ")}`,
  "an open brace": (object) => `{${plainLines(object).join(", ")}`,
  "a tab": (object) => plainLines(object).join("\n\t"),
  "wrong indentation": (object) => plainLines(object).join("\n  "),
  "wrong case": ({ lines }) => lines.map(([key, value]) => `${key.toLowerCase()}: ${value}`).join("\n"),
  "no colon": (object) => `${plainLines(object).join("\n")}\nword`,
};

const indented = (text: string, by: string): string => text.replaceAll(/^/gm, by);

const LIST_SPELLINGS: Readonly<Record<string, (items: readonly string[]) => string>> = {
  literal: (items) => `array:\n${items.map((item) => `  - |\n${indented(item, "    ")}\n`).join("")}`,
  "literal, kept": (items) => `array:\n${items.map((item) => `- |+\n${indented(item, "  ")}\n\n`).join("")}`,
  "literal, stripped": (items) => `array:\n${items.map((item) => `  - |-\n${indented(item, "      ")}\n`).join("")}`,
  JSON: (items) => JSON.stringify({ array: items }),
  "JSON on lines": (items) => JSON.stringify({ array: items }, null, 2),
  "double quotes": (items) => `array:\n${items.map((item) => `  - ${JSON.stringify(item)}\n`).join("")}`,
  "single quotes": (items) =>
    `array:\n${items.map((item) => `  - '${item.replaceAll("'", "''").replaceAll("\n", "\n\n    ")}'\n`).join("")}`,
  "with other keys": (items) => `# objects\nother: &x [1, 2]\narray: ${JSON.stringify(items)}\nmore: *x\n`,
  "with nothing between": (items) => `array:\n${items.map((item) => `  - ${JSON.stringify(item)}\n  -\n  - ~\n`).join("")}`,
  "CR LF": (items) => `array:\r\n${items.map((item) => `  - |\r\n${indented(item, "    ").replaceAll("\n", "\r\n")}\r\n`).join("")}`,
};

const WRONG_LIST_SPELLINGS: Readonly<Record<string, (items: readonly string[]) => string>> = {
  "no array": (items) => items.map((item) => `- |\n${indented(item, "  ")}\n`).join(""),
  mappings: (items) => `array:\n${items.map((item) => `  - ${indented(item, "    ").trimStart()}\n`).join("")}`,
  "wrong case": (items) => `Array: ${JSON.stringify(items)}`,
  "one text": (items) => `array: ${JSON.stringify(items[0] ?? "")}`,
  "open bracket": (items) => `array: [${items.map((item) => JSON.stringify(item)).join(", ")}`,
  nested: (items) => `array: [${JSON.stringify(items)}]`,
  folded: (items) => `array:\n${items.map((item) => `  - >\n${indented(item, "    ")}\n`).join("")}`,
};

function pickSpelling<Spelling>(random: Random, spellings: Readonly<Record<string, Spelling>>): Spelling {
  return random.pick(Object.values(spellings));
}

export function spelledObjects(random: Random, objects: readonly WrittenObject[]): string {
  const items = objects.map((object) => pickSpelling(random, random.chance(0.06) ? WRONG_ITEM_SPELLINGS : ITEM_SPELLINGS)(object));
  return pickSpelling(random, random.chance(0.08) ? WRONG_LIST_SPELLINGS : LIST_SPELLINGS)(items);
}
