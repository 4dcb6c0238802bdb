import { isJsonObject } from "../../domain/json-object.ts";
import { asJsonEscapes } from "../../domain/quoted.ts";
import { isPlainText } from "./yaml-scalar.ts";

/** Values of JSON to YAML that kubectl reads as the same: blocks, keys in their order, quotes where plain text would mean something else. */

export function toYaml(value: unknown): string {
  const lines: string[] = [];
  write(value, { lines, indent: "", head: "", isBelowKey: false });
  return `${lines.join("\n")}\n`;
}

interface Place {
  readonly lines: string[];
  /** Of the lines of a collection, and less than that of a text. */
  readonly indent: string;
  /** What the first line begins with: a key, or dashes. */
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

/** Of a list, without keys. */
function entriesOf(value: unknown): readonly (readonly [key: string | undefined, value: unknown])[] {
  if (Array.isArray(value)) return value.map((item: unknown) => [undefined, item]);
  return isJsonObject(value) ? Object.entries(value).filter(([, inner]) => inner !== undefined) : [];
}

/** Longer ones need a question mark. */
const MAX_KEY = 1_000;

function writeMember(name: string, value: unknown, { lines, indent, head }: Place): void {
  const key = isPlain(name) ? name : quote(name);
  const isLong = key.length > MAX_KEY;
  if (isLong) lines.push(`${head}? ${key}`);
  // A list may stand as far to the left as its key.
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

/** What no reader takes for something else than a character: neither a break nor a blank of another kind, and visible. */
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

/** Several lines of text that is seen. */
function isBlock(text: string): boolean {
  return /[^\n]\n/.test(text) && !UNSEEN_IN_LINES.test(text);
}

/** Literal: each line as it is. What the first line is indented by is said where a reader would take it for the text's own. */
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
  // In Node since 22, and not yet in TypeScript's library.
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

/** JSON as kubectl prints it: integers of 64 bits keep their digits. */
export function toJson(value: unknown): string {
  const json = JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? JSON.rawJSON(String(inner)) : inner), 2);
  return `${escapedControls(json)}\n`;
}

/**
 * JSON whose texts hold no control or format character and no separator of lines: its own escapes stop below DEL, and a terminal obeys what
 * comes after it, too.
 */
export function escapedControls(json: string): string {
  return json.replaceAll(/[\u007F-\u009F]|[\p{Cf}\p{Zl}\p{Zp}]/gu, asJsonEscapes);
}
