/** JSON to events. The text is known to be JSON: the engine's own parser has read it, which tells neither lines nor keys that stand twice. */
import type { YamlEvent } from "../../domain/yaml/events.ts";

const TOKEN = /[[\]{}"]|[^\s,:[\]{}"]+/g;
const FLOAT_TAG = "tag:yaml.org,2002:float";
/** No number of 64 bits has more digits; longer ones are floats, or too large. */
const MAX_INTEGER_DIGITS = 20;

export function readJsonEvents(text: string, send: (event: YamlEvent) => void): void {
  let line = 1;
  let nextBreak = text.indexOf("\n");
  for (const [token, start] of jsonTokens(text)) {
    for (; nextBreak !== -1 && nextBreak < start; nextBreak = text.indexOf("\n", nextBreak + 1)) line += 1;
    const properties = { line, anchor: undefined, tag: "" };
    if (token === "{") send({ kind: "mapping", ...properties });
    else if (token === "[") send({ kind: "list", ...properties });
    else if (token === "}" || token === "]") send({ kind: "end" });
    else if (token.startsWith('"')) send({ ...properties, kind: "scalar", value: textOf(token), isQuoted: true });
    else send({ ...properties, kind: "scalar", value: token, isQuoted: false, tag: isInteger(token) ? "" : tagOf(token) });
  }
}

/** Strings whole, brackets, and words; each with where it starts. */
function* jsonTokens(text: string): Generator<readonly [token: string, start: number]> {
  TOKEN.lastIndex = 0;
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (found === null) return;
    const { index } = found;
    const [first] = found;
    at = first === '"' ? stringEnd(text, index) : index + first.length;
    yield [text.slice(index, at), index];
  }
}

/** Half of a surrogate pair is no character: Go replaces it. */
function textOf(token: string): string {
  // A JSON string, found by its quotes.
  return token.includes("\\") ? (JSON.parse(token) as string).toWellFormed() : token.slice(1, -1).toWellFormed();
}

function isInteger(word: string): boolean {
  return word.length <= MAX_INTEGER_DIGITS && /^-?[0-9]+$/.test(word);
}

/** With the tag, a number that is too large is refused instead of read as text. */
function tagOf(word: string): string {
  return /^[-0-9]/.test(word) ? FLOAT_TAG : "";
}

/** Behind the closing quote of the string that starts at `start`; the end of the text where it is not closed. */
export function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return text.length;
}
