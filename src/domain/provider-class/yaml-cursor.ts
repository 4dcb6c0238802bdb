/** The characters of a YAML text, and the place that a reader of them has come to. */

export interface Mark {
  /** Characters before it. */
  readonly index: number;
  /** From 0. */
  readonly line: number;
  readonly column: number;
}

/** A text that is no YAML, in the words of the provider's library. Readers of YAML make a value of it. */
export class YamlSyntaxError extends Error {
  override readonly name = "YamlSyntaxError";
  readonly words: string;
  /** Where the mistake is in the text, from 1. */
  readonly at: number;

  /** `line` as the library prints it; 0 is not printed. */
  constructor(words: string, line: number, at = line) {
    super(line > 0 ? `yaml: line ${line}: ${words}` : `yaml: ${words}`);
    this.words = words;
    this.at = at;
  }
}

/** Of the scanner: what began on line 0 is told of by the place where it went wrong; what is on line 0 altogether, without a line. */
export function scannerError(words: string, began: Mark, now: Mark): YamlSyntaxError {
  const line = began.line === 0 ? now.line : began.line;
  return new YamlSyntaxError(words, line === 0 ? 0 : line + 1, began.line + 1);
}

/** Of the parser: the library counts these lines from 0. */
export function parserError(words: string, began: number, now: number): YamlSyntaxError {
  return new YamlSyntaxError(words, began === 0 ? now : began, now + 1);
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const NEXT_LINE = 0x85;
const LINE_SEPARATOR = 0x2028;
const PARAGRAPH_SEPARATOR = 0x2029;

/** What stands behind the last character. */
export const END = 0;

export const isBlank = (code: number): boolean => code === SPACE || code === TAB;
export const isTab = (code: number): boolean => code === TAB;
/** One that is a byte in UTF-8. */
export const isNarrowBreak = (code: number): boolean => code === LINE_FEED || code === CARRIAGE_RETURN;
export const isBreak = (code: number): boolean =>
  isNarrowBreak(code) || code === NEXT_LINE || code === LINE_SEPARATOR || code === PARAGRAPH_SEPARATOR;
export const isBreakOrEnd = (code: number): boolean => code === END || isBreak(code);
export const isSpacing = (code: number): boolean => isBlank(code) || isBreakOrEnd(code);
export const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
/** Letters, digits, `_` and `-`: what names of anchors, handles and directives are made of. */
export const isWord = (code: number): boolean =>
  isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f || code === 0x2d;

/** One number for each character: a text of megabytes is read in as many bytes as it has times four. */
function codesOf(text: string): Uint32Array {
  const codes = new Uint32Array(text.length);
  let count = 0;
  for (let index = 0; index < text.length; count += 1) {
    const code = text.codePointAt(index) ?? END;
    codes[count] = code;
    index += code > 0xffff ? 2 : 1;
  }
  return codes.subarray(0, count);
}

export class YamlCursor {
  readonly #codes: Uint32Array;
  #index = 0;
  #line = 0;
  #column = 0;
  /** Line breaks since the last character that is no blank. */
  #newlines = 0;

  constructor(text: string) {
    this.#codes = codesOf(text);
  }

  get mark(): Mark {
    return { index: this.#index, line: this.#line, column: this.#column };
  }

  get index(): number {
    return this.#index;
  }

  get line(): number {
    return this.#line;
  }

  get column(): number {
    return this.#column;
  }

  get newlines(): number {
    return this.#newlines;
  }

  /** The code of a character, counted from here. */
  code(offset = 0): number {
    return this.#codes[this.#index + offset] ?? END;
  }

  is(character: string, offset = 0): boolean {
    return this.code(offset) === character.charCodeAt(0);
  }

  isOneOf(characters: string): boolean {
    const code = this.code();
    return code !== END && code < 0x80 && characters.includes(String.fromCharCode(code));
  }

  /** `---` or `...` at the beginning of a line, and nothing behind it. */
  isDocumentIndicator(character: "-" | "."): boolean {
    if (this.#column !== 0) return false;
    return [0, 1, 2].every((offset) => this.is(character, offset)) && isSpacing(this.code(3));
  }

  skip(count = 1): void {
    for (let left = count; left > 0; left -= 1) {
      if (!isBlank(this.code())) this.#newlines = 0;
      this.#index += 1;
      this.#column += 1;
    }
  }

  read(): string {
    const character = String.fromCodePoint(this.code());
    this.skip();
    return character;
  }

  readWhile(isWanted: (code: number) => boolean): string {
    let text = "";
    while (isWanted(this.code())) text += this.read();
    return text;
  }

  /** A line break, if there is one; every kind but two becomes a line feed. */
  readBreak(): string {
    const code = this.code();
    if (!isBreak(code)) return "";
    this.#index += code === CARRIAGE_RETURN && this.code(1) === LINE_FEED ? 2 : 1;
    this.#line += 1;
    this.#column = 0;
    this.#newlines += 1;
    return code === LINE_SEPARATOR || code === PARAGRAPH_SEPARATOR ? String.fromCodePoint(code) : "\n";
  }

  skipBlanks(): void {
    while (isBlank(this.code())) this.skip();
  }

  skipToBreak(): void {
    while (!isBreakOrEnd(this.code())) this.skip();
  }

  /** The end of the text ends its last line. */
  endLine(): void {
    if (this.#column === 0) return;
    this.#column = 0;
    this.#line += 1;
  }
}
