/** Converts JSON to events. JSON.parse has accepted the text already, but reports neither lines nor duplicate keys. */
import type { YamlEvent } from "../../domain/yaml/events.ts";

const TOKEN = /[[\]{}"]|[^\s,:[\]{}"]+/g;
const FLOAT_TAG = "tag:yaml.org,2002:float";
/** No 64-bit integer has more digits; longer numbers are floats, or too large. */
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

/** Yields strings, brackets, and words, each with its start. */
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

/** Replaces half of a surrogate pair, which is not a character, as Go does. */
function textOf(token: string): string {
  // The quotes show that the token is a JSON string.
  return token.includes("\\") ? (JSON.parse(token) as string).toWellFormed() : token.slice(1, -1).toWellFormed();
}

function isInteger(word: string): boolean {
  return word.length <= MAX_INTEGER_DIGITS && /^-?[0-9]+$/.test(word);
}

/** Tags a number, so that a number that is too large is rejected instead of read as text. */
function tagOf(word: string): string {
  return /^[-0-9]/.test(word) ? FLOAT_TAG : "";
}

/** Returns the end of the string that starts at `start`, after its closing quote, or the end of the text if the string is not closed. */
export function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return text.length;
}
