/** Spellings of `objects`: the same YAML in many styles, and invalid YAML. */
import type { Random } from "../../support/fixtures/random.ts";

export type Field = readonly [key: string, value: string];

const isPlain = (text: string) => /^[A-Za-z0-9][-A-Za-z0-9_./+]*$/.test(text);

const SCALARS: readonly ((text: string, random: Random) => string)[] = [
  (text) => (isPlain(text) ? text : JSON.stringify(text)),
  (text) => (isPlain(text) ? text : `'${text.replaceAll("'", "''")}'`),
  (text) => `'${text.replaceAll("'", "''")}'`,
  (text) => JSON.stringify(text),
  (text) => `"${Array.from(text, (character) => `\\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, "0")}`).join("")}"`,
  (text) => (isPlain(text) ? `${text}   # a comment: [` : JSON.stringify(text)),
  (text) => `!!str ${JSON.stringify(text)}`,
  (text, random) => `&${random.pick(["a", "anchor", "b1"])} ${JSON.stringify(text)}`,
  (text) => `   ${JSON.stringify(text)}  `,
  (text) => `|\n  ${text}`,
  (text) => `>-\n    ${text}`,
  (text) => `\n  ${JSON.stringify(text)}`,
  (text) => `!!binary ${Buffer.from(text).toString("base64")}`,
];

/** Usually plain, as people write. Placeholders must stay readable. */
function scalar(text: string, random: Random): string {
  if (text.startsWith("$")) return JSON.stringify(text);
  const spell = random.chance(0.6) ? SCALARS[0] : random.pick(SCALARS);
  return spell?.(text, random) ?? text;
}

function key(text: string, random: Random): string {
  if (random.chance(0.9)) return text;
  return random.pick([JSON.stringify(text), `'${text}'`, `!!str ${text}`, `? ${text}\n`, `${text} `]);
}

const FILLERS = ["# between", "", "   ", "#", "\t", "# objectName: other"] as const;

function blockItem(fields: readonly Field[], random: Random): string {
  const lines = fields.map(([name, value]) => `${key(name, random)}: ${scalar(value, random)}`);
  if (random.chance(0.1)) lines.splice(random.integer(0, lines.length), 0, random.pick(FILLERS));
  const indent = random.pick(["", "", "", " ", "    "]);
  const text = lines.map((line) => line.replaceAll(/^/gm, indent)).join(random.chance(0.05) ? "\r\n" : "\n");
  return random.chance(0.5) ? `${text}\n` : text;
}

function flowItem(fields: readonly Field[], random: Random): string {
  const join = random.pick([", ", ",", ",\n ", " , "]);
  const colon = random.pick([": ", ": ", ":  "]);
  const pairs = fields.map(([name, value]) => `${name}${colon}${isPlain(value) && random.chance(0.5) ? value : JSON.stringify(value)}`);
  return `{${pairs.join(join)}${random.chance(0.1) ? "," : ""}}`;
}

function jsonItem(fields: readonly Field[], random: Random): string {
  const number = (value: string) => (/^[0-9]{1,9}$/.test(value) ? value : JSON.stringify(value));
  const pairs = fields.map(([name, value]) => `${JSON.stringify(name)}:${random.chance(0.2) ? number(value) : JSON.stringify(value)}`);
  return `{${pairs.join(",")}}`;
}

/** YAML of one entry. A history is a number, and must not be in quotes. */
export function spellItem(fields: readonly Field[], random: Random): string {
  const others = fields.filter(([name]) => name !== "objectVersionHistory");
  const history = fields.filter(([name]) => name === "objectVersionHistory").map(([name, value]) => `${name}: ${value}`);
  if (history.length > 0) return [blockItem(others, random).trimEnd(), ...history].join("\n");
  const style = random.integer(0, 9);
  if (style < 6) return blockItem(others, random);
  return style < 8 ? flowItem(others, random) : jsonItem(others, random);
}

const literal = (text: string, indent: string, head: string) => `- ${head}\n${text.replaceAll(/^/gm, `${indent}  `)}`;

function entry(text: string, random: Random): string {
  const indent = random.pick(["", "  ", "  ", "    "]);
  const style = random.integer(0, 9);
  if (style < 7) return `${indent}${literal(text, indent, random.pick(["|", "|", "|", "|-", "|+", "| # comment", "!!str |"]))}`;
  if (style < 9) return `${indent}- ${JSON.stringify(text)}`;
  return `${indent}- '${text.replaceAll("'", "''").replaceAll("\n", "\n\n  ")}'`;
}

const TOP = ["# a class", "---", "other: x", "nested: {a: [b]}", "%YAML 1.2\n---", "Array: [x]", "x: &x y"] as const;
const BETWEEN = ["", "# between", "- null", "- ~", "-", "- 5", "- true", "- ''"] as const;
const BEHIND = ["", "# end", "---\narray: [z]", "...\n", "...\n---\n[", "other: y"] as const;

/** The whole text. */
export function spellObjects(items: readonly string[], random: Random): string {
  const style = random.integer(0, 9);
  if (style === 0) return JSON.stringify({ array: items }, null, random.pick([0, 1, 2]));
  if (style === 1) return `array: [${items.map((text) => JSON.stringify(text)).join(random.pick([", ", ",\n  ", ","]))}]`;
  const entries = items.map((text) => entry(text, random));
  // Entries of one list must have the same column.
  const column = /^ */.exec(entries[0] ?? "")?.[0] ?? "";
  const aligned = random.chance(0.93) ? entries.map((text) => realigned(text, column)) : entries;
  if (random.chance(0.1)) aligned.splice(random.integer(0, aligned.length), 0, `${column}${random.pick(BETWEEN)}`);
  const lines = [`array:${random.chance(0.1) ? random.pick([" ", " # list", " &l", " !!seq"]) : ""}`, ...aligned];
  if (random.chance(0.12)) lines.unshift(random.pick(TOP));
  if (random.chance(0.1)) lines.push(random.pick(BEHIND));
  return `${lines.join("\n")}\n`;
}

function realigned(text: string, column: string): string {
  const own = /^ */.exec(text)?.[0].length ?? 0;
  return text.replaceAll(new RegExp(`^ {0,${own}}`, "gm"), column);
}

const SCRAPS = [
  ":",
  "-",
  " ",
  "  ",
  "\n",
  "\t",
  "#",
  "'",
  '"',
  "[",
  "]",
  "{",
  "}",
  ",",
  "&",
  "*",
  "!",
  "|",
  ">",
  "%",
  "@",
  "`",
  "?",
  "\r",
  "- ",
  ": ",
  "é",
  "\\",
  "<<: ",
  "--- ",
];

/** A typing mistake: an extra text, a missing character, or a moved line. */
export function disturb(text: string, random: Random): string {
  const at = random.integer(0, text.length);
  const kind = random.integer(0, 4);
  if (kind < 2) return `${text.slice(0, at)}${random.pick(SCRAPS)}${text.slice(at)}`;
  if (kind === 2) return `${text.slice(0, at)}${text.slice(at + random.integer(1, 2))}`;
  const lines = text.split("\n");
  const line = random.integer(0, lines.length - 1);
  const moved = random.pick([
    (one: string) => ` ${one}`,
    (one: string) => one.trimStart(),
    (one: string) => `\t${one}`,
    (one: string) => `${one}${one}`,
  ]);
  return lines.map((one, index) => (index === line ? moved(one) : one)).join("\n");
}
