/**
 * YAML text to tokens, as the provider's library makes them: which mistakes it sees, in which order, and which it lets pass, is
 * part of what a class is.
 */
import { END, isBlank, isBreak, isNarrowBreak, isSpacing, isTab, scannerError, YamlCursor } from "./yaml-cursor.ts";
import { SimpleKeys } from "./yaml-keys.ts";
import { scanDirective, scanName, scanTag } from "./yaml-properties.ts";
import { scanBlock, scanPlain, scanQuoted } from "./yaml-scalar-text.ts";
import { type Bracket, type Token, type TokenContent, TokenQueue } from "./yaml-tokens.ts";

/** Of blocks or of flow collections inside each other. */
const MAX_DEPTH = 10_000;
/** Which of Go's libraries is followed: `v3` reads the objects of a class, `v2` reads manifests for kubectl. */
export type YamlDialect = "v2" | "v3";

/** Tokens that the library reads before it hands one out: mistakes in them are found first. `v3` looks for comments in them. */
const LOOKAHEAD: Readonly<Record<YamlDialect, number>> = { v2: 0, v3: 2 };
/** Blanks and empty lines that it looks over for a further comment. */
const COMMENT_DISTANCE = 512;

const BYTE_ORDER_MARK = 0xfeff;
const NOT_PLAIN = "-?:,[]{}#&*!|>'\"%@`";

export class YamlScanner {
  readonly #cursor: YamlCursor;
  readonly #keys: SimpleKeys;
  readonly #tokens = new TokenQueue();
  readonly #indents: number[] = [];
  #indent = -1;
  #mayBeginKey = true;
  readonly #dialect: YamlDialect;

  constructor(text: string, dialect: YamlDialect) {
    this.#dialect = dialect;
    this.#cursor = new YamlCursor(text);
    this.#keys = new SimpleKeys(this.#cursor);
  }

  /** The next token, which stays. */
  peek(): Token {
    while (this.#tokens.length <= LOOKAHEAD[this.#dialect] || this.#keys.mayBegin(this.#tokens.firstNumber)) this.#fetch();
    return this.#tokens.first ?? { kind: "streamEnd", line: this.#cursor.line };
  }

  take(): void {
    this.#tokens.take();
  }

  get #isInFlow(): boolean {
    return this.#keys.depth > 0;
  }

  #add(content: TokenContent, line = this.#cursor.line): void {
    this.#tokens.insert({ ...content, line });
  }

  #fetch(): void {
    const { line } = this.#cursor;
    this.#skipToToken();
    this.#unroll(this.#cursor.column, line);
    if (this.#cursor.code() === END) this.#endStream();
    else if (this.#cursor.column === 0 && this.#cursor.is("%")) this.#directive();
    else if (this.#cursor.isDocumentIndicator("-")) this.#documentIndicator("documentStart");
    else if (this.#cursor.isDocumentIndicator(".")) this.#documentIndicator("documentEnd");
    else {
      this.#fetchContent();
      if (this.#dialect === "v3" && this.#tokens.last?.kind !== "blockEntry") this.#skipLineComment();
    }
  }

  #fetchContent(): void {
    const cursor = this.#cursor;
    const isSpaced = isSpacing(cursor.code(1));
    if (cursor.isOneOf("[{")) this.#openFlow(cursor.is("[") ? "[" : "{");
    else if (cursor.isOneOf("]}")) this.#closeFlow(cursor.is("]") ? "]" : "}");
    else if (cursor.is(",")) this.#flowEntry();
    else if (cursor.is("-") && isSpaced) this.#blockEntry();
    else if (cursor.is("?") && (this.#isInFlow || isSpaced)) this.#key();
    else if (cursor.is(":") && (this.#isInFlow || isSpaced)) this.#value();
    else this.#fetchNode();
  }

  #fetchNode(): void {
    const cursor = this.#cursor;
    const { line } = cursor;
    if (cursor.isOneOf("*&")) {
      const kind = cursor.is("*") ? "alias" : "anchor";
      this.#addSimple(() => ({ kind, name: scanName(cursor) }));
    } else if (cursor.is("!")) this.#addSimple(() => ({ kind: "tag", tag: scanTag(cursor) }));
    else if (cursor.isOneOf("|>") && !this.#isInFlow) {
      this.#keys.drop();
      this.#mayBeginKey = true;
      this.#add({ kind: "scalar", value: scanBlock(cursor, cursor.is("|") ? "|" : ">", this.#surroundings), isQuoted: true }, line);
    } else if (cursor.isOneOf("'\"")) {
      const quote = cursor.is("'") ? "'" : '"';
      this.#addSimple(() => ({ kind: "scalar", value: scanQuoted(cursor, quote), isQuoted: true }));
    } else if (this.#isPlain()) this.#plain();
    else throw scannerError("found character that cannot start any token", cursor.mark, cursor.mark);
  }

  get #surroundings() {
    return { indent: this.#indent, isInFlow: this.#isInFlow };
  }

  #isPlain(): boolean {
    const cursor = this.#cursor;
    if (!isSpacing(cursor.code()) && !cursor.isOneOf(NOT_PLAIN)) return true;
    if (cursor.is("-")) return !isBlank(cursor.code(1));
    return !this.#isInFlow && cursor.isOneOf("?:") && !isSpacing(cursor.code(1));
  }

  #plain(): void {
    let endsLine = false;
    this.#addSimple(() => {
      const scanned = scanPlain(this.#cursor, this.#surroundings);
      endsLine = scanned.endsLine;
      return { kind: "scalar", value: scanned.value, isQuoted: false };
    });
    if (endsLine) this.#mayBeginKey = true;
  }

  /** A token that a key may begin with, and that none may follow. */
  #addSimple(scan: () => TokenContent): void {
    const { line } = this.#cursor;
    this.#saveKey();
    this.#mayBeginKey = false;
    this.#add(scan(), line);
  }

  #saveKey(): void {
    if (this.#mayBeginKey) this.#keys.save(this.#tokens.nextNumber, !this.#isInFlow && this.#indent === this.#cursor.column);
  }

  /** A token of `length` characters. */
  #addIndicator(kind: "documentStart" | "documentEnd" | "blockEntry" | "flowEntry" | "key" | "value" | Bracket, length = 1): void {
    this.#add({ kind });
    this.#cursor.skip(length);
  }

  #openFlow(kind: Bracket): void {
    this.#saveKey();
    this.#keys.openLevel(this.#tokens.nextNumber);
    if (this.#keys.depth > MAX_DEPTH) throw scannerError(`exceeded max depth of ${MAX_DEPTH}`, this.#keys.mark, this.#cursor.mark);
    this.#mayBeginKey = true;
    this.#addIndicator(kind);
  }

  #closeFlow(kind: Bracket): void {
    this.#keys.drop();
    this.#keys.closeLevel();
    this.#mayBeginKey = false;
    this.#addIndicator(kind);
  }

  #flowEntry(): void {
    this.#keys.drop();
    this.#mayBeginKey = true;
    this.#addIndicator("flowEntry");
  }

  #blockEntry(): void {
    if (!this.#isInFlow) {
      this.#refuseUnlessKey("block sequence entries are not allowed in this context");
      this.#roll("blockSequence");
    }
    this.#keys.drop();
    this.#mayBeginKey = true;
    this.#addIndicator("blockEntry");
  }

  #key(): void {
    if (!this.#isInFlow) {
      this.#refuseUnlessKey("mapping keys are not allowed in this context");
      this.#roll("blockMapping");
    }
    this.#keys.drop();
    this.#mayBeginKey = !this.#isInFlow;
    this.#addIndicator("key");
  }

  #value(): void {
    const key = this.#keys.take();
    if (key !== undefined) {
      const { token, mark } = key;
      this.#tokens.insert({ kind: "key", line: mark.line }, token);
      this.#roll("blockMapping", { column: mark.column, line: mark.line, token });
      this.#mayBeginKey = false;
    } else {
      if (!this.#isInFlow) {
        this.#refuseUnlessKey("mapping values are not allowed in this context");
        this.#roll("blockMapping");
      }
      this.#mayBeginKey = !this.#isInFlow;
    }
    this.#addIndicator("value");
  }

  #refuseUnlessKey(words: string): void {
    if (!this.#mayBeginKey) throw scannerError(words, this.#cursor.mark, this.#cursor.mark);
  }

  /** Opens a block where the text stands further to the right than the blocks around. */
  #roll(kind: "blockSequence" | "blockMapping", at: { column: number; line: number; token?: number } = this.#cursor): void {
    if (this.#isInFlow || this.#indent >= at.column) return;
    this.#indents.push(this.#indent);
    this.#indent = at.column;
    if (this.#indents.length > MAX_DEPTH) throw scannerError(`exceeded max depth of ${MAX_DEPTH}`, this.#keys.mark, this.#cursor.mark);
    this.#tokens.insert({ kind, line: at.line }, at.token);
  }

  /** Closes the blocks that stand further to the right. */
  #unroll(column: number, line = this.#cursor.line): void {
    if (this.#isInFlow) return;
    while (this.#indent > column) {
      this.#add({ kind: "blockEnd" }, line);
      this.#indent = this.#indents.pop() ?? -1;
    }
  }

  #endStream(): void {
    this.#cursor.endLine();
    this.#endDocument();
    this.#add({ kind: "streamEnd" });
  }

  #endDocument(): void {
    this.#unroll(-1);
    this.#keys.drop();
    this.#mayBeginKey = false;
  }

  #directive(): void {
    const { line } = this.#cursor;
    this.#endDocument();
    this.#add({ kind: "directive", directive: scanDirective(this.#cursor) }, line);
  }

  #documentIndicator(kind: "documentStart" | "documentEnd"): void {
    this.#endDocument();
    this.#addIndicator(kind, 3);
  }

  /** Blanks, comments and line breaks. Tabs are none of them where they could be taken for indentation. */
  #skipToToken(): void {
    const cursor = this.#cursor;
    for (;;) {
      if (cursor.column === 0 && cursor.code(-cursor.index) === BYTE_ORDER_MARK) cursor.skip();
      while (cursor.is(" ") || ((this.#isInFlow || !this.#mayBeginKey) && isTab(cursor.code()))) cursor.skip();
      if (cursor.is("#")) {
        if (this.#dialect === "v3") this.#skipComments();
        else cursor.skipToBreak();
      }
      if (!isBreak(cursor.code())) return;
      cursor.readBreak();
      if (!this.#isInFlow) this.#mayBeginKey = true;
    }
  }

  /** Several comments with nothing between them are read as one, whatever they are indented with. */
  #skipComments(): void {
    const cursor = this.#cursor;
    for (;;) {
      cursor.skipToBreak();
      let distance = 1;
      if (!isNarrowBreak(cursor.code())) return;
      while (distance < COMMENT_DISTANCE && (isBlank(cursor.code(distance)) || isNarrowBreak(cursor.code(distance)))) distance += 1;
      if (distance === COMMENT_DISTANCE || !cursor.is("#", distance)) return;
      const target = cursor.index + distance;
      while (cursor.index < target) {
        if (isBreak(cursor.code())) cursor.readBreak();
        else cursor.skip();
      }
    }
  }

  /** A comment behind a token on its line. */
  #skipLineComment(): void {
    const cursor = this.#cursor;
    if (cursor.newlines > 0) return;
    let distance = 0;
    while (distance < COMMENT_DISTANCE && isBlank(cursor.code(distance))) distance += 1;
    if (distance === COMMENT_DISTANCE || !cursor.is("#", distance)) return;
    cursor.skipToBreak();
  }
}
