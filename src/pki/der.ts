/**
 * Strict DER, read piece by piece without recursion, so that the input limits time and memory. Errors have the words of Go's encoding/asn1:
 * the provider and the driver are Go programs, and users search for the messages that these print.
 */

import type { DecodingProblem } from "../domain/ports/pki.ts";

/** Broken or unexpected encoding. Never leaves this folder. */
export class DerError extends Error {
  override readonly name = "DerError";
  readonly code: DecodingProblem["code"];

  constructor(message: string, code: DecodingProblem["code"] = "Undecodable") {
    super(message);
    this.code = code;
  }
}

export const syntaxError = (words: string) => new DerError(`asn1: syntax error: ${words}`);
const structureError = (words: string) => new DerError(`asn1: structure error: ${words}`);

export interface DerValue {
  /** 0 universal, 1 application, 2 context-specific, 3 private. */
  readonly classNumber: number;
  readonly tag: number;
  readonly isConstructed: boolean;
  readonly content: Uint8Array;
  /** Includes tag and length. */
  readonly encoded: Uint8Array;
}

/** The expected form of a field: class, tag, constructed or not, and its name in a message. */
export interface DerType {
  readonly classNumber: number;
  readonly tag: number;
  readonly isConstructed: boolean;
  readonly name: string;
}

const universal = (tag: number, name: string, isConstructed = false): DerType => ({ classNumber: 0, tag, isConstructed, name });

export const INTEGER = universal(2, "int");
export const BIT_STRING = universal(3, "BitString");
export const OCTET_STRING = universal(4, "");
export const OBJECT_IDENTIFIER = universal(6, "ObjectIdentifier");
export const sequence = (name: string): DerType => universal(16, name, true);
export const set = (name: string): DerType => universal(17, name, true);
/** `[tag]` in the notation of the standards. */
export const context = (tag: number, isConstructed: boolean): DerType => ({ classNumber: 2, tag, isConstructed, name: "" });

interface Header {
  readonly classNumber: number;
  readonly tag: number;
  readonly isConstructed: boolean;
  readonly length: number;
  /** Position of the first byte of the content. */
  readonly start: number;
}

const MAX_LENGTH = 2 ** 23;
const LONG_TAG = 0x1f;
const MORE = 0x80;

function byteAt(bytes: Uint8Array, position: number): number {
  const byte = bytes[position];
  if (byte === undefined) throw syntaxError("truncated tag or length");
  return byte;
}

const MAX_BASE_128_BYTES = 5;
const MAX_INT32 = 2 ** 31 - 1;

/** Reads seven bits a byte. The last byte has its first bit clear. */
function readBase128(bytes: Uint8Array, from: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let position = from; position < bytes.length; position += 1) {
    const byte = byteAt(bytes, position);
    if (position === from && byte === MORE) throw syntaxError("integer is not minimally encoded");
    value = value * 128 + (byte & 0x7f);
    const isTooLarge = position === from + MAX_BASE_128_BYTES || ((byte & MORE) === 0 && value > MAX_INT32);
    if (isTooLarge) throw structureError("base 128 integer too large");
    if ((byte & MORE) === 0) return { value, next: position + 1 };
  }
  throw syntaxError("truncated base 128 integer");
}

function readLongTag(bytes: Uint8Array, from: number): { readonly tag: number; readonly next: number } {
  const { value, next } = readBase128(bytes, from);
  if (value < LONG_TAG) throw syntaxError("non-minimal tag");
  return { tag: value, next };
}

function readLength(bytes: Uint8Array, from: number): { readonly length: number; readonly start: number } {
  const first = byteAt(bytes, from);
  if ((first & MORE) === 0) return { length: first, start: from + 1 };
  const count = first & 0x7f;
  if (count === 0) throw syntaxError("indefinite length found (not DER)");
  let length = 0;
  for (let index = 1; index <= count; index += 1) {
    const byte = byteAt(bytes, from + index);
    if (length >= MAX_LENGTH) throw structureError("length too large");
    length = length * 256 + byte;
    if (length === 0) throw structureError("superfluous leading zeros in length");
  }
  if (length < MORE) throw structureError("non-minimal length");
  return { length, start: from + 1 + count };
}

function readHeader(bytes: Uint8Array, position: number): Header {
  const first = byteAt(bytes, position);
  const short = first & LONG_TAG;
  const { tag, next } = short === LONG_TAG ? readLongTag(bytes, position + 1) : { tag: short, next: position + 1 };
  return { classNumber: first >> 6, tag, isConstructed: (first & 0x20) !== 0, ...readLength(bytes, next) };
}

/** Shows nothing of the data: if a password is read as DER, tag and length are its first characters. */
const mismatch = (type: DerType): DerError => structureError(`tags don't match (${type.tag} expected) ${type.name}`);

const fits = (type: DerType, header: Header) =>
  header.classNumber === type.classNumber && header.tag === type.tag && header.isConstructed === type.isConstructed;

/** Reads the fields of one constructed value, or of a whole input. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  /** Returns the next field of any type. */
  any(): DerValue {
    return this.#take(this.#header());
  }

  next(type: DerType): DerValue {
    const header = this.#header();
    if (!fits(type, header)) throw mismatch(type);
    return this.#take(header);
  }

  /** Returns a reader for the fields of the next field. */
  enter(type: DerType): DerReader {
    return new DerReader(this.next(type).content);
  }

  /** Returns undefined if the next field has another type, or if there is none. */
  optional(type: DerType): DerValue | undefined {
    if (this.isAtEnd) return undefined;
    const header = this.#header();
    return fits(type, header) ? this.#take(header) : undefined;
  }

  /**
   * Reads an optional `[tag] EXPLICIT` around one value. As in Go, the outer length has no effect, and if the value has another type, the
   * field counts as absent.
   */
  optionalExplicit(tag: number, type: DerType): DerValue | undefined {
    if (this.isAtEnd) return undefined;
    const outer = this.#header();
    if (outer.start >= this.#bytes.length) throw structureError("explicit tag has no child");
    const isWanted = outer.classNumber === 2 && outer.tag === tag && (outer.length === 0 || outer.isConstructed);
    if (!isWanted) return undefined;
    if (outer.length === 0) throw structureError("zero length explicit tag was not an asn1.Flag");
    const inner = readHeader(this.#bytes, outer.start);
    return fits(type, inner) ? this.#take(inner) : undefined;
  }

  /** Reads to the end of the fields. */
  each<T>(read: (fields: this) => T): readonly T[] {
    const values: T[] = [];
    while (!this.isAtEnd) values.push(read(this));
    return values;
  }

  /** Returns the encoded content of `[tag] EXPLICIT`. */
  unwrap(tag: number): Uint8Array {
    if (this.isAtEnd) throw syntaxError("sequence truncated");
    const wrapped = this.optional(context(tag, true));
    if (wrapped === undefined) throw structureError("explicitly tagged member didn't match");
    return wrapped.content;
  }

  #header(): Header {
    if (this.isAtEnd) throw syntaxError("sequence truncated");
    return readHeader(this.#bytes, this.#position);
  }

  #take({ classNumber, tag, isConstructed, length, start }: Header): DerValue {
    const end = start + length;
    if (end > this.#bytes.length) throw syntaxError("data truncated");
    const encoded = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return { classNumber, tag, isConstructed, content: this.#bytes.subarray(start, end), encoded };
  }
}

/** Real ones have a dozen bytes. Longer ones would only fill a message. */
const MAX_OID_BYTES = 1024;

/** Returns a text such as `1.2.840.113549.1.7.1`. */
export function objectIdentifier({ content }: DerValue): string {
  if (content.length === 0) throw syntaxError("zero length OBJECT IDENTIFIER");
  if (content.length > MAX_OID_BYTES) throw structureError("object identifier too large");
  const arcs: number[] = [];
  for (let position = 0; position < content.length; ) {
    const { value, next } = readBase128(content, position);
    arcs.push(value);
    position = next;
  }
  const [first = 0, ...rest] = arcs;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join(".");
}

const MAX_INTEGER_BYTES = 8;

/** Returns a small number, or -1 for a negative one. */
export function smallInteger({ content }: DerValue): number {
  const [first, second] = content;
  if (first === undefined) throw structureError("empty integer");
  const isLonger = second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (isLonger) throw structureError("integer not minimally-encoded");
  if (content.length > MAX_INTEGER_BYTES) throw structureError("integer too large");
  if (first >= 0x80) return -1;
  return content.reduce((number, byte) => number * 256 + byte, 0);
}

export function writeDer(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const hex = content.length.toString(16);
  const digits = Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
  return Buffer.concat([Buffer.of(tag, ...(content.length < MORE ? [] : [MORE | digits.length])), digits, content]);
}
