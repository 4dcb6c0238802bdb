/** Scalars of YAML, each from its first character to its last, by the rules of the provider's library. */
import { END, isBlank, isBreak, isBreakOrEnd, isDigit, isSpacing, isTab, type Mark, scannerError, type YamlCursor } from "./yaml-cursor.ts";

/** Where a scalar stands. */
export interface Surroundings {
  /** Of the block around; -1 outside of all. */
  readonly indent: number;
  readonly isInFlow: boolean;
}

/** Line breaks of one run and the blanks before it, on their way to be folded. */
class Gap {
  /** A line has begun, of which nothing but blanks has been read. */
  hasBreak = false;
  #blanks = "";
  #first = "";
  #others = "";

  get isEmpty(): boolean {
    return !this.hasBreak && this.#blanks === "";
  }

  /** Reads one blank or one line break. */
  read(cursor: YamlCursor): void {
    if (isBlank(cursor.code())) {
      if (this.hasBreak) cursor.skip();
      else this.#blanks += cursor.read();
      return;
    }
    if (this.hasBreak) this.#others += cursor.readBreak();
    else this.#first = cursor.readBreak();
    this.hasBreak = true;
  }

  /** What it stands for: one line break is a space, more are one less. */
  fold(): string {
    const folded = this.hasBreak ? this.#foldBreaks() : this.#blanks;
    this.hasBreak = false;
    this.#blanks = "";
    this.#first = "";
    this.#others = "";
    return folded;
  }

  #foldBreaks(): string {
    if (this.#first !== "\n") return this.#first + this.#others;
    return this.#others === "" ? " " : this.#others;
  }
}

const FLOW_INDICATORS = ",?[]{}";

function endsPlain(cursor: YamlCursor, isInFlow: boolean): boolean {
  return (cursor.is(":") && isSpacing(cursor.code(1))) || (isInFlow && cursor.isOneOf(FLOW_INDICATORS));
}

const isGap = (code: number) => isBlank(code) || isBreak(code);

export interface PlainScalar {
  readonly value: string;
  /** Whether a new line has begun behind it. */
  readonly endsLine: boolean;
}

export function scanPlain(cursor: YamlCursor, { indent, isInFlow }: Surroundings): PlainScalar {
  const start = cursor.mark;
  const gap = new Gap();
  let value = "";
  for (;;) {
    if (cursor.isDocumentIndicator("-") || cursor.isDocumentIndicator(".") || cursor.is("#")) break;
    while (!isSpacing(cursor.code()) && !endsPlain(cursor, isInFlow)) {
      if (!gap.isEmpty) value += gap.fold();
      value += cursor.read();
    }
    if (!isGap(cursor.code())) break;
    while (isGap(cursor.code())) {
      if (gap.hasBreak && cursor.column <= indent && isTab(cursor.code())) {
        throw scannerError("found a tab character that violates indentation", start, cursor.mark);
      }
      gap.read(cursor);
    }
    if (!isInFlow && cursor.column <= indent) break;
  }
  return { value, endsLine: gap.hasBreak };
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["0", "\0"],
  ["a", "\u0007"],
  ["b", "\b"],
  ["t", "\t"],
  ["\t", "\t"],
  ["n", "\n"],
  ["v", "\v"],
  ["f", "\f"],
  ["r", "\r"],
  ["e", "\u001b"],
  [" ", " "],
  ['"', '"'],
  ["'", "'"],
  ["\\", "\\"],
  ["N", "\u0085"],
  ["_", "\u00a0"],
  ["L", "\u2028"],
  ["P", "\u2029"],
]);

const ESCAPE_LENGTHS: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

const MAX_CODE_POINT = 0x10_ffff;

function readEscape(cursor: YamlCursor, start: Mark): string {
  const letter = String.fromCodePoint(cursor.code(1));
  const length = ESCAPE_LENGTHS.get(letter);
  const escaped = ESCAPES.get(letter);
  if (escaped === undefined && length === undefined) throw scannerError("found unknown escape character", start, cursor.mark);
  cursor.skip(2);
  if (length === undefined) return escaped ?? "";
  const digits = Array.from({ length }, (_, offset) => String.fromCodePoint(cursor.code(offset))).join("");
  if (!/^[0-9A-Fa-f]+$/.test(digits)) throw scannerError("did not find expected hexdecimal number", start, cursor.mark);
  const code = Number.parseInt(digits, 16);
  if (code > MAX_CODE_POINT || (code >= 0xd800 && code <= 0xdfff)) {
    throw scannerError("found invalid Unicode character escape code", start, cursor.mark);
  }
  cursor.skip(length);
  return String.fromCodePoint(code);
}

/** Up to a blank, a line break or the closing quote. An escaped line break opens a gap. */
function readQuotedRun(cursor: YamlCursor, quote: "'" | '"', { start, gap }: { readonly start: Mark; readonly gap: Gap }): string {
  let run = "";
  while (!isSpacing(cursor.code())) {
    if (quote === "'" && cursor.is("'") && cursor.is("'", 1)) {
      run += "'";
      cursor.skip(2);
    } else if (cursor.is(quote)) return run;
    else if (quote === '"' && cursor.is("\\") && isBreak(cursor.code(1))) {
      cursor.skip();
      cursor.readBreak();
      gap.hasBreak = true;
      return run;
    } else run += quote === '"' && cursor.is("\\") ? readEscape(cursor, start) : cursor.read();
  }
  return run;
}

export function scanQuoted(cursor: YamlCursor, quote: "'" | '"'): string {
  const start = cursor.mark;
  const gap = new Gap();
  let value = "";
  cursor.skip();
  for (;;) {
    if (cursor.isDocumentIndicator("-") || cursor.isDocumentIndicator(".")) {
      throw scannerError("found unexpected document indicator", start, cursor.mark);
    }
    if (cursor.code() === END) throw scannerError("found unexpected end of stream", start, cursor.mark);
    value += readQuotedRun(cursor, quote, { start, gap });
    if (cursor.is(quote)) break;
    while (isGap(cursor.code())) gap.read(cursor);
    value += gap.fold();
  }
  cursor.skip();
  return value;
}

interface BlockHeader {
  /** What to do with the line breaks at the end: `-` none, `+` all, else one. */
  readonly chomping: string;
  /** Undefined where the first line decides. */
  readonly increment: number | undefined;
}

function readBlockHeader(cursor: YamlCursor, start: Mark): BlockHeader {
  const readChomping = () => (cursor.isOneOf("+-") ? cursor.read() : "");
  const readIncrement = () => {
    if (cursor.is("0")) throw scannerError("found an indentation indicator equal to 0", start, cursor.mark);
    return isDigit(cursor.code()) ? Number(cursor.read()) : undefined;
  };
  const first = readChomping();
  const increment = readIncrement();
  const chomping = first === "" && increment !== undefined ? readChomping() : first;
  cursor.skipBlanks();
  if (cursor.is("#")) cursor.skipToBreak();
  if (!isBreakOrEnd(cursor.code())) throw scannerError("did not find expected comment or line break", start, cursor.mark);
  cursor.readBreak();
  return { chomping, increment };
}

/** Indentation and empty lines before a line of the scalar; tells its indentation where `indent` is 0. */
function readBlockBreaks(cursor: YamlCursor, { start, indent, least }: { start: Mark; indent: number; least: number }) {
  let breaks = "";
  let widest = 0;
  const isInIndentation = () => indent === 0 || cursor.column < indent;
  for (;;) {
    while (isInIndentation() && cursor.is(" ")) cursor.skip();
    widest = Math.max(widest, cursor.column);
    if (isInIndentation() && isTab(cursor.code())) {
      throw scannerError("found a tab character where an indentation space is expected", start, cursor.mark);
    }
    if (!isBreak(cursor.code())) break;
    breaks += cursor.readBreak();
  }
  return { breaks, indent: indent === 0 ? Math.max(widest, least, 1) : indent };
}

/** `|` keeps line breaks, `>` folds them. */
export function scanBlock(cursor: YamlCursor, style: "|" | ">", { indent: outer }: Surroundings): string {
  const start = cursor.mark;
  cursor.skip();
  const { chomping, increment } = readBlockHeader(cursor, start);
  const given = increment === undefined ? 0 : Math.max(outer, 0) + increment;
  let { breaks, indent } = readBlockBreaks(cursor, { start, indent: given, least: outer + 1 });
  let value = "";
  let ending = "";
  let wasIndented = false;
  while (cursor.column === indent && cursor.code() !== END) {
    const isIndented = isBlank(cursor.code());
    const isFolded = style === ">" && !wasIndented && !isIndented && ending === "\n";
    if (!isFolded) value += ending;
    else if (breaks === "") value += " ";
    value += breaks + cursor.readWhile((code) => !isBreakOrEnd(code));
    wasIndented = isIndented;
    ending = cursor.readBreak();
    ({ breaks, indent } = readBlockBreaks(cursor, { start, indent, least: outer + 1 }));
  }
  if (chomping !== "-") value += ending;
  return chomping === "+" ? value + breaks : value;
}
