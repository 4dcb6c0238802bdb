/** Anchors, aliases, tags and directives of YAML, by the rules of the provider's library. */
import { isBlank, isBreakOrEnd, isDigit, isSpacing, isWord, type Mark, scannerError, type YamlCursor } from "./yaml-cursor.ts";

/** The name behind `&` or `*`. */
export function scanName(cursor: YamlCursor): string {
  const start = cursor.mark;
  cursor.skip();
  const name = cursor.readWhile(isWord);
  if (name === "" || !(isSpacing(cursor.code()) || cursor.isOneOf("?:,]}%@`"))) {
    throw scannerError("did not find expected alphabetic or numeric character", start, cursor.mark);
  }
  return name;
}

/** `!handle!suffix`; an empty handle says that the suffix is the whole tag. */
export interface Tag {
  readonly handle: string;
  readonly suffix: string;
}

function scanHandle(cursor: YamlCursor, start: Mark, isDirective: boolean): string {
  if (!cursor.is("!")) throw scannerError("did not find expected '!'", start, cursor.mark);
  const handle = cursor.read() + cursor.readWhile(isWord);
  if (cursor.is("!")) return handle + cursor.read();
  if (isDirective && handle !== "!") throw scannerError("did not find expected '!'", start, cursor.mark);
  return handle;
}

const LEADING_OCTETS: readonly (readonly [mask: number, value: number, width: number])[] = [
  [0x80, 0x00, 1],
  [0xe0, 0xc0, 2],
  [0xf0, 0xe0, 3],
  [0xf8, 0xf0, 4],
];

function readOctet(cursor: YamlCursor, start: Mark): number {
  const digits = String.fromCodePoint(cursor.code(1), cursor.code(2));
  if (!cursor.is("%") || !/^[0-9A-Fa-f]{2}$/.test(digits)) throw scannerError("did not find URI escaped octet", start, cursor.mark);
  return Number.parseInt(digits, 16);
}

/** One character, as the octets of its UTF-8. */
function readEscapedCharacter(cursor: YamlCursor, start: Mark): string {
  const octets = [readOctet(cursor, start)];
  const width = LEADING_OCTETS.find(([mask, value]) => ((octets[0] ?? 0) & mask) === value)?.[2];
  if (width === undefined) throw scannerError("found an incorrect leading UTF-8 octet", start, cursor.mark);
  cursor.skip(3);
  while (octets.length < width) {
    const octet = readOctet(cursor, start);
    if ((octet & 0xc0) !== 0x80) throw scannerError("found an incorrect trailing UTF-8 octet", start, cursor.mark);
    octets.push(octet);
    cursor.skip(3);
  }
  return new TextDecoder().decode(Uint8Array.from(octets));
}

const URI_CHARACTERS = ";/?:@&=+$,.!~*'()[]%";

/** `head`: what has been read of it already, with its `!`. */
function scanUri(cursor: YamlCursor, start: Mark, head: string): string {
  let uri = head.slice(1);
  const first = cursor.index;
  while (isWord(cursor.code()) || cursor.isOneOf(URI_CHARACTERS)) {
    uri += cursor.is("%") ? readEscapedCharacter(cursor, start) : cursor.read();
  }
  if (head === "" && cursor.index === first) throw scannerError("did not find expected tag URI", start, cursor.mark);
  return uri;
}

function scanVerbatimTag(cursor: YamlCursor, start: Mark): Tag {
  cursor.skip(2);
  const suffix = scanUri(cursor, start, "");
  if (!cursor.is(">")) throw scannerError("did not find the expected '>'", start, cursor.mark);
  cursor.skip();
  return { handle: "", suffix };
}

function scanShorthandTag(cursor: YamlCursor, start: Mark): Tag {
  const handle = scanHandle(cursor, start, false);
  if (handle.length > 1 && handle.endsWith("!")) return { handle, suffix: scanUri(cursor, start, "") };
  const suffix = scanUri(cursor, start, handle);
  return suffix === "" ? { handle: "", suffix: "!" } : { handle: "!", suffix };
}

export function scanTag(cursor: YamlCursor): Tag {
  const start = cursor.mark;
  const tag = cursor.is("<", 1) ? scanVerbatimTag(cursor, start) : scanShorthandTag(cursor, start);
  if (!isSpacing(cursor.code())) throw scannerError("did not find expected whitespace or line break", start, cursor.mark);
  return tag;
}

/** `version` is `1.1`. */
export type Directive =
  | { readonly kind: "version"; readonly version: string }
  | { readonly kind: "tag"; readonly handle: string; readonly prefix: string };

const MAX_VERSION_DIGITS = 2;

function scanVersionNumber(cursor: YamlCursor, start: Mark): number {
  let digits = "";
  while (isDigit(cursor.code())) {
    if (digits.length === MAX_VERSION_DIGITS) throw scannerError("found extremely long version number", start, cursor.mark);
    digits += cursor.read();
  }
  if (digits === "") throw scannerError("did not find expected version number", start, cursor.mark);
  return Number(digits);
}

function scanVersion(cursor: YamlCursor, start: Mark): Directive {
  cursor.skipBlanks();
  const major = scanVersionNumber(cursor, start);
  if (!cursor.is(".")) throw scannerError("did not find expected digit or '.' character", start, cursor.mark);
  cursor.skip();
  return { kind: "version", version: `${major}.${scanVersionNumber(cursor, start)}` };
}

function scanTagPrefix(cursor: YamlCursor, start: Mark): Directive {
  cursor.skipBlanks();
  const handle = scanHandle(cursor, start, true);
  if (!isBlank(cursor.code())) throw scannerError("did not find expected whitespace", start, cursor.mark);
  cursor.skipBlanks();
  const prefix = scanUri(cursor, start, "");
  if (!isSpacing(cursor.code())) throw scannerError("did not find expected whitespace or line break", start, cursor.mark);
  return { kind: "tag", handle, prefix };
}

const DIRECTIVES: Readonly<Record<string, (cursor: YamlCursor, start: Mark) => Directive>> = { YAML: scanVersion, TAG: scanTagPrefix };

/** The whole line. */
export function scanDirective(cursor: YamlCursor): Directive {
  const start = cursor.mark;
  cursor.skip();
  const name = cursor.readWhile(isWord);
  if (name === "") throw scannerError("could not find expected directive name", start, cursor.mark);
  if (!isSpacing(cursor.code())) throw scannerError("found unexpected non-alphabetical character", start, cursor.mark);
  const scan = Object.hasOwn(DIRECTIVES, name) ? DIRECTIVES[name] : undefined;
  if (scan === undefined) throw scannerError("found unknown directive name", start, cursor.mark);
  const directive = scan(cursor, start);
  cursor.skipBlanks();
  if (cursor.is("#")) cursor.skipToBreak();
  if (!isBreakOrEnd(cursor.code())) throw scannerError("did not find expected comment or line break", start, cursor.mark);
  cursor.readBreak();
  return directive;
}
