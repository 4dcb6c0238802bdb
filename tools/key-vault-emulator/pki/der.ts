/**
 * Writes DER (ITU-T X.690) for X.509 and PKCS#12. node-forge has a writer too, but its certificates and PKCS#12 files support only RSA
 * keys. node:crypto has none.
 */

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.byteLength), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const hex = length.toString(16);
  const octets = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return Buffer.concat([Buffer.from([0x80 | octets.byteLength]), octets]);
}

export function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

/** One element only: DER sorts sets of several, which nothing here needs. */
export function setOf(part: Buffer): Buffer {
  return tagged(0x31, part);
}

export function octetString(content: Buffer): Buffer {
  return tagged(0x04, content);
}

/** A whole number of octets, or flags with this many unused bits at the end. */
export function bitString(content: Buffer, unusedBits = 0): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([unusedBits]), content]));
}

/** A non-negative integer, from a small number or from big-endian octets. */
export function integer(value: number | Buffer): Buffer {
  const octets = typeof value === "number" ? Buffer.from(value.toString(16).padStart(8, "0"), "hex") : value;
  const first = octets.findIndex((octet) => octet !== 0);
  const shortest = first < 0 ? Buffer.from([0]) : octets.subarray(first);
  const isHighBitSet = (shortest[0] ?? 0) >= 0x80;
  return tagged(0x02, isHighBitSet ? Buffer.concat([Buffer.from([0]), shortest]) : shortest);
}

export function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.from([value ? 0xff : 0]));
}

export function nullValue(): Buffer {
  return tagged(0x05, Buffer.alloc(0));
}

export function utf8String(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text, "utf8"));
}

/** Context-specific and constructed: `[number] EXPLICIT` around one element. */
export function explicit(number: number, content: Buffer): Buffer {
  return tagged(0xa0 | number, content);
}

/** Context-specific and primitive: `[number] IMPLICIT` of a string type. */
export function implicit(number: number, content: Buffer): Buffer {
  return tagged(0x80 | number, content);
}

/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280, section 4.1.2.5). */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits));
}

export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(value: number): readonly number[] {
  const octets = [value % 128];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) octets.unshift((left % 128) | 0x80);
  return octets;
}

/** A DER element without its tag and length. */
export function contentOf(element: Buffer): Buffer {
  const length = element[1] ?? 0;
  return element.subarray(length < 0x80 ? 2 : 2 + (length & 0x7f));
}
