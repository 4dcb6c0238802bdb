/**
 * Strict decoders with the rules and error texts of the provider (Go's encoding/base64 and encoding/hex). Errors name the position, never
 * the content, because the input is part of a secret value.
 */
import { failed, ok, type Result } from "./result.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_DIGITS: ReadonlyMap<number, number> = new Map(Array.from(ALPHABET, (digit, value) => [digit.charCodeAt(0), value]));
const PADDING = 0x3d;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUANTUM = 4;

const isLineBreak = (byte: number | undefined) => byte === LINE_FEED || byte === CARRIAGE_RETURN;

function skipLineBreaks(bytes: Uint8Array, position: number): number {
  let next = position;
  while (isLineBreak(bytes[next])) next += 1;
  return next;
}

/** Returns the position of the wrong byte if the digits of the last quantum are not followed by correct padding; otherwise undefined. */
function paddingError(bytes: Uint8Array, position: number, digits: number): number | undefined {
  if (digits < 2) return position;
  let next = position + 1;
  if (digits === 2) {
    next = skipLineBreaks(bytes, next);
    if (next === bytes.length) return bytes.length;
    if (bytes[next] !== PADDING) return next - 1;
    next += 1;
  }
  next = skipLineBreaks(bytes, next);
  return next < bytes.length ? next : undefined;
}

/** Decodes the standard alphabet. Requires padding, and ignores line breaks. */
export function decodeBase64(bytes: Uint8Array): Result<Uint8Array, string> {
  const corrupt = (position: number) => failed(`illegal base64 data at input byte ${position}`);
  const decoded = new Uint8Array(Math.ceil((bytes.length * 3) / QUANTUM));
  let length = 0;
  let bits = 0;
  let digits = 0;
  for (const [position, byte] of bytes.entries()) {
    if (isLineBreak(byte)) continue;
    const digit = BASE64_DIGITS.get(byte);
    if (digit === undefined) {
      const error = byte === PADDING ? paddingError(bytes, position, digits) : position;
      if (error !== undefined) return corrupt(error);
      break;
    }
    bits = (bits << 6) | digit;
    digits += 1;
    if (digits < QUANTUM) continue;
    decoded.set([(bits >> 16) & 0xff, (bits >> 8) & 0xff, bits & 0xff], length);
    length += 3;
    bits = 0;
    digits = 0;
  }
  if (digits === 0) return ok(decoded.slice(0, length));
  if (!bytes.includes(PADDING)) return corrupt(bytes.length - digits);
  const rest = digits === 2 ? [(bits >> 4) & 0xff] : [(bits >> 10) & 0xff, (bits >> 2) & 0xff];
  decoded.set(rest, length);
  return ok(decoded.slice(0, length + rest.length));
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}

/**
 * Decodes an even number of digits in either case, and nothing else. Go's error quotes the wrong character; this one states its position.
 */
export function decodeHex(bytes: Uint8Array): Result<Uint8Array, string> {
  const decoded = new Uint8Array(bytes.length >> 1);
  for (const [position, byte] of bytes.entries()) {
    const digit = hexDigit(byte);
    if (digit === undefined) return failed(`encoding/hex: invalid byte at input byte ${position}`);
    const index = position >> 1;
    if (index < decoded.length) decoded[index] = ((decoded[index] ?? 0) << 4) | digit;
  }
  return bytes.length % 2 === 0 ? ok(decoded) : failed("encoding/hex: odd length hex string");
}
