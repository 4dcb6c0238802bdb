/** Splits a file into the texts of its documents, as kubectl does: JSON objects one after the other, YAML between lines of `---`. */
import { parsedJson } from "../../domain/json-object.ts";
import { stringEnd } from "./json-events.ts";

export interface ReadableText {
  readonly kind: "yaml" | "json";
  readonly text: string;
  /** Line of the file, from 1. */
  readonly line: number;
}

export type DocumentText =
  | ReadableText
  /** kubectl stops reading the file here. This program continues after the next `---`. */
  | { readonly kind: "unreadable"; readonly message: string; readonly line: number };

/** Number of characters in which kubectl searches for a brace. */
const JSON_WITHIN = 4_096;
/** White space of Unicode, as Go defines it, then a brace. */
const BEGINS_AS_JSON = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*\{/;
/** After this many JSON objects at the beginning of a file, kubectl reads the whole file as JSON. */
const JSON_FOR_GOOD = 2;

export function* documentTexts(file: string): Generator<DocumentText> {
  const place = new FilePlace(file);
  if (BEGINS_AS_JSON.test(file.slice(0, JSON_WITHIN))) yield* jsonTexts(place);
  yield* yamlTexts(place);
}

/** Current position in a file. */
class FilePlace {
  readonly file: string;
  at = 0;
  /** Current line, from 1. */
  line = 1;

  constructor(file: string) {
    this.file = file;
  }

  get isEnd(): boolean {
    return this.at >= this.file.length;
  }

  moveTo(end: number): void {
    for (let at = this.file.indexOf("\n", this.at); at !== -1 && at < end; at = this.file.indexOf("\n", at + 1)) this.line += 1;
    this.at = end;
  }
}

const JSON_BLANKS = /[ \t\r\n]*/y;
const BLANKS_IN_LINE = /[^\S\n]*/y;
/** Number of bytes that must remain for kubectl to read text that is not JSON as YAML. */
const LEAST_YAML = 4;

function endOf(pattern: RegExp, file: string, at: number): number {
  pattern.lastIndex = at;
  return at + (pattern.exec(file)?.[0].length ?? 0);
}

/** Yields JSON objects until the file ends, or YAML begins. */
function* jsonTexts(place: FilePlace): Generator<DocumentText> {
  const { file } = place;
  for (let count = 0; ; count += 1) {
    const start = endOf(JSON_BLANKS, file, place.at);
    if (start === file.length) return place.moveTo(start);
    const text = file.slice(start, jsonEnd(file, start));
    if (parsedJson(text) === undefined) {
      const rest = endOf(BLANKS_IN_LINE, file, place.at);
      const mayBeYaml = count < JSON_FOR_GOOD && Buffer.byteLength(file.slice(rest, rest + LEAST_YAML)) >= LEAST_YAML;
      if (mayBeYaml) place.moveTo(file[rest] === "\n" ? rest + 1 : rest);
      else yield* notJson(place, start);
      return;
    }
    place.moveTo(start);
    yield { kind: "json", text, line: place.line };
    place.moveTo(start + text.length);
  }
}

const NOT_JSON = "not JSON, although kubectl reads the rest of the file as JSON";

function* notJson(place: FilePlace, start: number): Generator<DocumentText> {
  place.moveTo(start);
  yield { kind: "unreadable", line: place.line, message: NOT_JSON };
  place.moveTo(nextSeparator(place.file, place.at));
}

const BRACKET = /["[\]{}]/g;
const WORD_END = /[\s,:[\]{}"]|$/g;

/** Returns the end of the value that begins at `start`, if there is one. */
function jsonEnd(file: string, start: number): number {
  const first = file[start];
  if (first === '"') return stringEnd(file, start);
  if (first !== "{" && first !== "[") {
    WORD_END.lastIndex = start + 1;
    return WORD_END.exec(file)?.index ?? file.length;
  }
  let depth = 0;
  let at = start;
  for (;;) {
    BRACKET.lastIndex = at;
    const found = BRACKET.exec(file);
    if (found === null) return file.length;
    const [bracket] = found;
    at = bracket === '"' ? stringEnd(file, found.index) : found.index + 1;
    if (bracket === "{" || bracket === "[") depth += 1;
    else if (bracket !== '"') depth -= 1;
    if (depth === 0) return at;
  }
}

const SEPARATOR = "---";

/** Returns the next separator at the beginning of a line. `from` must be the beginning of a line. */
function nextSeparator(file: string, from: number): number {
  if (file.startsWith(SEPARATOR, from)) return from;
  const found = file.indexOf(`\n${SEPARATOR}`, from);
  return found === -1 ? file.length : found + 1;
}

function lineEnd(file: string, at: number): number {
  const found = file.indexOf("\n", at);
  return found === -1 ? file.length : found + 1;
}

function* yamlTexts(place: FilePlace): Generator<DocumentText> {
  const { file } = place;
  while (!place.isEnd) {
    const isSeparated = file.startsWith(SEPARATOR, place.at);
    const end = nextSeparator(file, isSeparated ? lineEnd(file, place.at) : place.at);
    const { line } = place;
    // Does not read what follows a bad separator, because it may continue text from the separator's line.
    if (isSeparated && !isGoodSeparator(file, place.at)) yield { kind: "unreadable", line, message: BAD_SEPARATOR };
    else if (end > place.at) yield { kind: "yaml", line, text: withLineFeeds(file.slice(place.at, end)) };
    // A good separator ends a document and belongs to none; a bad one begins the next document.
    place.moveTo(isGoodSeparator(file, end) ? lineEnd(file, end) : end);
  }
}

const BAD_SEPARATOR = "kubectl accepts only a comment after ---; write the document below it";

function isGoodSeparator(file: string, at: number): boolean {
  return /^\s*(?:#|$)/.test(file.slice(at + SEPARATOR.length, lineEnd(file, at)));
}

function withLineFeeds(text: string): string {
  const lines = text.includes("\r\n") ? text.replaceAll("\r\n", "\n") : text;
  return lines.endsWith("\n") ? lines : `${lines}\n`;
}
