/**
 * PEM by the rules of Go's encoding/pem, which the provider and the driver use. Text around blocks is skipped, and so is a block that does
 * not decode. Headers are kept. Output has 64 columns and line feeds. One pass over the input.
 */
import { decodeBase64 } from "../domain/encodings.ts";
import type { PemBlock, PemText } from "../domain/ports/pki.ts";
import { trimSpace } from "../domain/provider-class/go-text.ts";

const BEGIN = Buffer.from("-----BEGIN ");
const END = Buffer.from("\n-----END ");
const DASHES = Buffer.from("-----");
const COLUMNS = 64;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = ":";

interface Line {
  /** Without the line break and without spaces and tabs before it. */
  readonly bytes: Buffer;
  readonly next: number;
}

const isBlank = (byte: number | undefined) => byte === SPACE || byte === TAB;

function lineAt(data: Buffer, from: number): Line {
  const found = data.indexOf(LINE_FEED, from);
  let end = found < 0 ? data.length : found;
  if (found > from && data[end - 1] === CARRIAGE_RETURN) end -= 1;
  while (end > from && isBlank(data[end - 1])) end -= 1;
  return { bytes: data.subarray(from, end), next: found < 0 ? data.length : found + 1 };
}

/** Reads lines `key: value` after the first line. Returns undefined if the input ends in them. */
function readHeaders(data: Buffer, from: number): { readonly headers: ReadonlyMap<string, string>; readonly next: number } | undefined {
  const headers = new Map<string, string>();
  let next = from;
  while (next < data.length) {
    const line = lineAt(data, next);
    const text = line.bytes.toString();
    const colon = text.indexOf(COLON);
    if (colon < 0) return { headers, next };
    headers.set(trimSpace(text.slice(0, colon)), trimSpace(text.slice(colon + 1)));
    next = line.next;
  }
  return undefined;
}

function decodeBody(body: Buffer): Uint8Array | undefined {
  const decoded = decodeBase64(body.some(isBlank) ? body.filter((byte) => !isBlank(byte)) : body);
  return decoded.ok ? decoded.value : undefined;
}

interface Candidate {
  /** Positions of the line feed before the END line, and of the text after `-----END `. */
  readonly end: number;
  readonly trailer: number;
  readonly type: Buffer;
  /** Position after the BEGIN line. */
  readonly next: number;
}

function isClosed(data: Buffer, { trailer, type }: Candidate): boolean {
  const end = trailer + type.length + DASHES.length;
  if (!data.subarray(trailer, end).equals(Buffer.concat([type, DASHES]))) return false;
  return lineAt(data, end).bytes.length === 0;
}

type Attempt =
  | { readonly kind: "block"; readonly block: PemBlock; readonly next: number }
  /** Continue the search after the END line. */
  | { readonly kind: "skip" }
  | { readonly kind: "none" };

function readBlock(data: Buffer, candidate: Candidate): Attempt {
  const { end, trailer, type } = candidate;
  const read = readHeaders(data, candidate.next);
  if (read === undefined) return { kind: "none" };
  const skip: Attempt = { kind: read.next > trailer ? "none" : "skip" };
  if (read.headers.size > 0 && end < read.next) return skip;
  if (!isClosed(data, candidate)) return skip;
  const der = end > read.next ? decodeBody(data.subarray(read.next, end)) : new Uint8Array();
  if (der === undefined) return skip;
  return { kind: "block", block: { type: type.toString(), headers: read.headers, der }, next: lineAt(data, trailer - 1).next };
}

/** Returns the last BEGIN line before the next END line: earlier ones have no END of their own. */
function nextCandidate(data: Buffer, from: number): Candidate | number | undefined {
  const end = data.indexOf(END, from);
  if (end < 0) return undefined;
  const trailer = end + END.length;
  const begin = data.subarray(from, end).lastIndexOf(BEGIN);
  if (begin < 0 || (begin > 0 && data[from + begin - 1] !== LINE_FEED)) return trailer;
  const line = lineAt(data, from + begin + BEGIN.length);
  if (!line.bytes.subarray(-DASHES.length).equals(DASHES)) return trailer;
  return { end, trailer, type: line.bytes.subarray(0, -DASHES.length), next: line.next };
}

function decodeNext(data: Buffer, from: number): { readonly block: PemBlock; readonly next: number } | undefined {
  let rest = from;
  for (;;) {
    const candidate = nextCandidate(data, rest);
    if (candidate === undefined) return undefined;
    if (typeof candidate === "number") {
      rest = candidate;
      continue;
    }
    const attempt = readBlock(data, candidate);
    if (attempt.kind === "block") return attempt;
    if (attempt.kind === "none") return undefined;
    rest = candidate.trailer;
  }
}

export function decodePem(text: Uint8Array): PemText {
  const data = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  const blocks: PemBlock[] = [];
  let rest = 0;
  for (let found = decodeNext(data, rest); found !== undefined; found = decodeNext(data, rest)) {
    blocks.push(found.block);
    rest = found.next;
  }
  return { blocks, rest: data.subarray(rest) };
}

const PROC_TYPE = "Proc-Type";

function headerLines(headers: ReadonlyMap<string, string>): readonly string[] {
  if (headers.size === 0) return [];
  const names = [...headers.keys()].filter((name) => name !== PROC_TYPE).sort();
  const ordered = headers.has(PROC_TYPE) ? [PROC_TYPE, ...names] : names;
  return [...ordered.map((name) => `${name}: ${headers.get(name) ?? ""}`), ""];
}

export function encodePem({ type, headers, der }: PemBlock): Uint8Array {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  const lines = [`-----BEGIN ${type}-----`, ...headerLines(headers)];
  for (let column = 0; column < base64.length; column += COLUMNS) lines.push(base64.slice(column, column + COLUMNS));
  return Buffer.from(`${[...lines, `-----END ${type}-----`].join("\n")}\n`);
}
