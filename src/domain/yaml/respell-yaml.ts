/**
 * Rewrites YAML that Go's libraries accept and js-yaml does not, so that js-yaml accepts it. Values and line numbers stay the same. Line
 * breaks must be line feeds. Moves through the text once, and recognizes only where scalars, comments, and collections begin and end.
 */

/** Spellings that js-yaml accepts with a different meaning: `{a:}`, `[?a]`, `{:a}`, and `---` after spaces. */
const ODD = /[^\s"'\]}]:[,[\]{}]|[[{,]\s*[?:]\S|^ +(?:---|\.\.\.)[ \t\n]/;

export function isOddYaml(text: string): boolean {
  return ODD.test(text);
}

export function respellYaml(text: string): string {
  return new Respelling(text).whole();
}

/** Lines before a document. */
const HEAD = /%[^\n#]*|---(?=[ \t\n]|$)/y;
const BLANKS = /[ \t]+/y;
const COMMENT = /#/y;
const QUOTE = /["']/y;
const BRACKET = /[[\]{},]/y;

/** Outside and inside flow collections. */
const ENTRY = { block: /[-?](?=[ \t\n]|$)/y, flow: /\?|-(?=[ \t\n])/y } as const;
const COLON = { block: /:(?=[ \t\n]|$)/y, flow: /:/y } as const;
/** Name of an anchor before a character that js-yaml takes into the name, and Go does not. */
const SHORT_NAME = /[&*][-\w]+(?=[?:%@`])/y;
const PROPERTY = { block: /[&*][^ \t\n[\]{},]*|![^ \t\n]*/y, flow: /[&*!][^ \t\n[\]{},]*/y } as const;
const PLAIN_END = { block: /\n|(?<=[ \t])#|:(?=[ \t\n]|$)/g, flow: /[[\]{},\n]|(?<=[ \t])#|:(?=[ \t\n]|$)/g } as const;
const LINE_END = /\n/g;

class Respelling {
  readonly #text: string;
  #at = 0;
  #respelt = "";
  /** Number of characters of the text that have been written or replaced. */
  #written = 0;
  #lineStart = 0;
  /** Position after the whitespace at the start of the line. */
  #lineText = 0;
  /** Depth of flow collections. */
  #depth = 0;
  /** Column of the innermost block. */
  #indent = -1;
  /** Column of a node that may be a key. */
  #key: number | undefined;

  constructor(text: string) {
    this.#text = text;
    this.#takeIndentation();
  }

  whole(): string {
    while (this.#at < this.#text.length) this.#token();
    return this.#respelt + this.#text.slice(this.#written);
  }

  get #place(): "block" | "flow" {
    return this.#depth > 0 ? "flow" : "block";
  }

  get #column(): number {
    return this.#at - this.#lineStart;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  /** Takes a character, and all following characters up to `end`. */
  #takeTo(end: RegExp): void {
    end.lastIndex = this.#at + 1;
    this.#at = end.exec(this.#text)?.index ?? this.#text.length;
  }

  /** Writes `text` in place of `length` characters. */
  #write(text: string, at: number, length = 0): void {
    this.#respelt += this.#text.slice(this.#written, at) + text;
    this.#written = at + length;
  }

  /** Adds indentation that js-yaml requires. Stops if the text would become much longer. */
  #pad(at: number, column: number): void {
    if (column <= this.#indent && this.#respelt.length <= 2 * this.#text.length) this.#write(" ".repeat(this.#indent + 1 - column), at);
  }

  /** Takes a line break, and returns whether there was one. `goesOn`: the surrounding node does not end at the end of the line. */
  #takeLineBreak(goesOn: boolean): boolean {
    if (this.#text[this.#at] !== "\n") return false;
    this.#at += 1;
    this.#lineStart = this.#at;
    this.#takeIndentation();
    if (goesOn && this.#text[this.#at] !== "\n") this.#pad(this.#lineStart, this.#column);
    return true;
  }

  #takeIndentation(): void {
    while (this.#text[this.#at] === " ") this.#at += 1;
    this.#lineText = this.#at;
  }

  #token(): void {
    const start = this.#at;
    const column = this.#column;
    const place = this.#place;
    if (this.#takeLineBreak(place === "flow")) this.#key = place === "flow" ? this.#key : undefined;
    else if (column === 0 && place === "block" && this.#take(HEAD) !== undefined) return;
    else if (this.#take(BLANKS) !== undefined) this.#blanks(start);
    else if (this.#take(COMMENT) !== undefined) this.#comment(start);
    else if (this.#take(ENTRY[place]) !== undefined) this.#opens(column);
    else if (this.#take(COLON[place]) !== undefined) this.#opens(this.#key ?? column);
    else this.#node(start, column);
  }

  /** Replaces tabs between tokens with spaces, as Go reads them. Keeps tabs at the start of a line. */
  #blanks(start: number): void {
    const isIndentation = this.#depth === 0 && start === this.#lineText;
    const length = this.#at - start;
    if (!isIndentation && this.#text.slice(start, this.#at).includes("\t")) this.#write(" ".repeat(length), start, length);
  }

  #comment(start: number): void {
    if (start > 0 && !/\s/.test(this.#text.charAt(start - 1))) this.#write(" ", start);
    this.#at = start;
    this.#takeTo(LINE_END);
  }

  /** Starts a value whose block begins in this column. */
  #opens(column: number): void {
    this.#key = undefined;
    if (this.#depth === 0) this.#indent = column;
    else if (/\S/.test(this.#text.charAt(this.#at))) this.#write(" ", this.#at);
  }

  #node(start: number, column: number): void {
    const place = this.#place;
    if (place === "block") this.#key ??= column;
    // Comes first: the rest of a line of short names would otherwise be taken once for each name.
    const name = this.#take(SHORT_NAME);
    if (name !== undefined) return this.#endName(name);
    const property = this.#take(PROPERTY[place]);
    if (property !== undefined) return this.#property(start, property);
    const bracket = this.#take(BRACKET);
    if (bracket !== undefined) {
      this.#depth = Math.max(0, this.#depth + (bracket === "," ? 0 : "[{".includes(bracket) ? 1 : -1));
      return;
    }
    const quote = this.#take(QUOTE);
    if (quote !== undefined) this.#quoted(quote);
    else if (place === "block" && /[|>]/.test(this.#text.charAt(start))) this.#block(start, column);
    else this.#plain(start);
  }

  /** Ends the name of an anchor. Go allows fewer characters in it. */
  #endName(name: string): void {
    COLON[this.#place].lastIndex = this.#at;
    this.#write(name.startsWith("&") && COLON[this.#place].test(this.#text) ? " ~" : " ", this.#at);
  }

  /** Respells tags, in which Go allows more characters. */
  #property(start: number, property: string): void {
    if (!property.startsWith("!")) return;
    const handle = /^!(?:[-\w]*!|<)?/.exec(property)?.[0] ?? "";
    const suffix = property.slice(handle.length).replaceAll(/[!,[\]]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
    this.#write(handle + suffix, start, property.length);
  }

  #quoted(quote: string): void {
    for (let character: string | undefined = ""; this.#at < this.#text.length && character !== quote; ) {
      if (this.#takeLineBreak(true)) continue;
      character = this.#text[this.#at];
      this.#at += 1;
      if (character === "\\" && quote === '"') this.#escape();
    }
  }

  #escape(): void {
    if (this.#text[this.#at] === "'") this.#write("'", this.#at - 1, 2);
    if (!this.#takeLineBreak(true)) this.#at += 1;
  }

  /** Takes a block scalar, which ends before the first line that is not indented. */
  #block(start: number, column: number): void {
    if (column === this.#indent) this.#write(" ", start);
    this.#take(/[|>][-+0-9]*/y);
    if (this.#text[this.#at] === "#") this.#write(" ", this.#at);
    if (this.#text[this.#at] !== "\n") this.#takeTo(LINE_END);
    for (let next = this.#at; this.#text[next] === "\n"; next = this.#at) {
      this.#takeLineBreak(false);
      if (this.#text[this.#at] === "\n") continue;
      if (this.#at < this.#text.length && this.#column <= this.#indent) {
        this.#at = next;
        return;
      }
      this.#takeTo(LINE_END);
    }
  }

  #plain(start: number): void {
    const place = this.#place;
    this.#takeTo(PLAIN_END[place]);
    const text = this.#text.slice(start, this.#at).trimEnd();
    const isMisread =
      place === "flow"
        ? text === "-" || text.endsWith(":")
        : /^(?:---|\.\.\.)/.test(text) && this.#lineStart === 0 && start === this.#lineText;
    if (isMisread) this.#write(JSON.stringify(text), start, text.length);
    else if (place === "block") this.#plainLines();
  }

  /** Takes the lines that continue a plain scalar. */
  #plainLines(): void {
    for (let next = this.#at; this.#text[next] === "\n"; next = this.#at) {
      while (this.#takeLineBreak(false) || this.#take(BLANKS) !== undefined);
      if (this.#column <= this.#indent || this.#at === this.#text.length || this.#text[this.#at] === "#") {
        this.#at = next;
        return;
      }
      this.#takeTo(PLAIN_END.block);
    }
  }
}
