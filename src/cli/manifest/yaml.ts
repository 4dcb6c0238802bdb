import { isJsonObject } from "../../domain/json-object.ts";
import { asJsonEscapes } from "../../domain/quoted.ts";
import { isPlainText } from "./yaml-scalar.ts";

/** Writes JSON as YAML that kubectl reads as the same values: blocks, keys in order, quotes if plain text would mean something else. */

export function toYaml(value: unknown): string {
  const lines: string[] = [];
  write(value, { lines, indent: "", head: "", isBelowKey: false });
  return `${lines.join("\n")}\n`;
}

interface Place {
  readonly lines: string[];
  /** Indentation of the lines after `head`. */
  readonly indent: string;
  /** Beginning of the first line: a key, or dashes. */
  readonly head: string;
  readonly isBelowKey: boolean;
}

function write(value: unknown, place: Place): void {
  const { lines, indent, head, isBelowKey } = place;
  const entries = entriesOf(value);
  if (entries.length === 0) return writeScalar(value, place);
  if (isBelowKey) lines.push(head);
  for (const [index, [key, inner]] of entries.entries()) {
    const start = index > 0 || isBelowKey ? indent : head;
    if (key === undefined) write(inner, { lines, indent: `${indent}  `, head: `${start}- `, isBelowKey: false });
    else writeMember(key, inner, { lines, indent, head: start, isBelowKey });
  }
}

/** Returns the entries of a mapping or list; those of a list have no key. */
function entriesOf(value: unknown): readonly (readonly [key: string | undefined, value: unknown])[] {
  if (Array.isArray(value)) return value.map((item: unknown) => [undefined, item]);
  return isJsonObject(value) ? Object.entries(value).filter(([, inner]) => inner !== undefined) : [];
}

/** Longer keys need a question mark. */
const MAX_KEY = 1_000;

function writeMember(name: string, value: unknown, { lines, indent, head }: Place): void {
  const key = isPlain(name) ? name : quote(name);
  const isLong = key.length > MAX_KEY;
  if (isLong) lines.push(`${head}? ${key}`);
  // A list may have the same indentation as its key.
  const inner = Array.isArray(value) ? indent : `${indent}  `;
  write(value, { lines, indent: inner, head: isLong ? `${indent}:` : `${head}${key}:`, isBelowKey: true });
}

function writeScalar(value: unknown, { lines, indent, head, isBelowKey }: Place): void {
  const start = isBelowKey ? `${head} ` : head;
  if (typeof value === "string" && isBlock(value)) return writeBlock(value, { lines, indent, head: start, isBelowKey });
  lines.push(`${start}${scalarText(value)}`);
}

function scalarText(value: unknown): string {
  if (typeof value === "string") return isPlain(value) ? value : quote(value);
  if (Array.isArray(value)) return "[]";
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return String(value);
  return isJsonObject(value) ? "{}" : "null";
}

/** Matches characters that need an escape: invisible ones, and white space but a space. UNSEEN_IN_LINES allows line feeds and tabs. */
const UNSEEN = /\p{C}|[^\P{Z} ]/u;
const UNSEEN_IN_LINES = /[^\P{C}\n\t]|[^\P{Z} ]/u;
const MARKS = /^(?:[-?:](?:\s|$)|[,[\]{}#&*!|>'"%@`]|---|\.\.\.)/;

function isPlain(text: string): boolean {
  if (text === "<<" || text === "=" || MARKS.test(text) || /:(?:\s|$)| #|^ | $/.test(text)) return false;
  return !UNSEEN.test(text) && isPlainText(text);
}

function quote(text: string): string {
  if (text.includes('"') && !text.includes("'") && !UNSEEN.test(text)) return `'${text}'`;
  return JSON.stringify(text.toWellFormed()).replaceAll(new RegExp(UNSEEN, "gu"), escaped);
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const [letter, length] = code > 0xffff ? ["U", 8] : ["u", 4];
  return `\\${letter}${code.toString(16).padStart(length, "0")}`;
}

/** Whether the text has several lines, and only visible characters. */
function isBlock(text: string): boolean {
  return /[^\n]\n/.test(text) && !UNSEEN_IN_LINES.test(text);
}

/** Writes a literal block, with each line unchanged. States the indentation if the text itself begins with white space. */
function writeBlock(text: string, { lines, indent, head, isBelowKey }: Place): void {
  const inner = isBelowKey || indent !== "" ? indent : "  ";
  const body = text.replace(/\n*$/, "");
  const ending = text.length - body.length;
  const indicator = /^\n*[ \t]/.test(text) ? "2" : "";
  const chomping = ending === 0 ? "-" : ending === 1 ? "" : "+";
  lines.push(`${head}|${indicator}${chomping}`);
  for (const line of `${body}${"\n".repeat(Math.max(0, ending - 1))}`.split("\n")) lines.push(line === "" ? "" : `${inner}${line}`);
}

declare global {
  // Node supports this since version 22, but TypeScript's library does not declare it yet.
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

/** Returns JSON as kubectl prints it: 64-bit integers keep their digits. */
export function toJson(value: unknown): string {
  const json = JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? JSON.rawJSON(String(inner)) : inner), 2);
  return `${escapedControls(json)}\n`;
}

/** Escapes control and format characters, and line separators. JSON's own escapes end below DEL, but a terminal obeys the rest, too. */
export function escapedControls(json: string): string {
  return json.replaceAll(/[\u007F-\u009F]|[\p{Cf}\p{Zl}\p{Zp}]/gu, asJsonEscapes);
}
