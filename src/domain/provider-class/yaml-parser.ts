/** Tokens of YAML to events, as the provider's library makes them. No recursion: depth costs memory, not stack. */
import { parserError } from "./yaml-cursor.ts";
import { YamlDirectives } from "./yaml-directives.ts";
import type { NodeProperties, YamlEvent } from "./yaml-event.ts";
import type { Tag } from "./yaml-properties.ts";
import { type YamlDialect, YamlScanner } from "./yaml-scanner.ts";
import type { Token, TokenContent } from "./yaml-tokens.ts";

type State = () => YamlEvent;
type Kind = TokenContent["kind"];

interface NodePlace {
  readonly isBlock: boolean;
  /** Whether a list may stand as far to the left as what is around it. */
  readonly mayBeIndentless?: boolean;
}

const BLOCK: NodePlace = { isBlock: true };
const BLOCK_OR_INDENTLESS: NodePlace = { isBlock: true, mayBeIndentless: true };
const FLOW: NodePlace = { isBlock: false };

export class YamlParser {
  readonly #scanner: YamlScanner;
  readonly #directives = new YamlDirectives();
  readonly #states: State[] = [];
  /** Lines on which the open collections began. */
  readonly #began: number[] = [];
  #state: State = () => this.#implicitDocument();

  constructor(text: string, dialect: YamlDialect = "v3") {
    this.#scanner = new YamlScanner(text, dialect);
  }

  next(): YamlEvent {
    return this.#state();
  }

  #peek(): Token {
    return this.#scanner.peek();
  }

  #takeIf(kind: Kind): boolean {
    const isThere = this.#peek().kind === kind;
    if (isThere) this.#scanner.take();
    return isThere;
  }

  #isNext(...kinds: readonly Kind[]): boolean {
    return kinds.includes(this.#peek().kind);
  }

  /** Goes on with what waits for the node to end. */
  #return(): void {
    this.#state = this.#states.pop() ?? (() => this.#ended());
  }

  #ended(): YamlEvent {
    return { kind: "streamEnd", line: this.#peek().line };
  }

  #implicitDocument(): YamlEvent {
    if (this.#isNext("directive", "documentStart", "streamEnd")) return this.#document();
    const { line } = this.#peek();
    this.#readDirectives();
    this.#states.push(() => this.#documentEnd());
    this.#state = () => this.#node(BLOCK);
    return { kind: "documentStart", line };
  }

  #document(): YamlEvent {
    const { kind, line } = this.#peek();
    if (kind === "streamEnd") return this.#ended();
    this.#readDirectives();
    if (!this.#takeIf("documentStart")) throw parserError("did not find expected <document start>", 0, this.#peek().line);
    this.#states.push(() => this.#documentEnd());
    this.#state = () => this.#documentContent();
    return { kind: "documentStart", line };
  }

  #documentContent(): YamlEvent {
    if (!this.#isNext("directive", "documentStart", "documentEnd", "streamEnd")) return this.#node(BLOCK);
    this.#return();
    return this.#nothing(this.#peek().line);
  }

  /** Nobody reads further than the first document. */
  #documentEnd(): YamlEvent {
    this.#state = () => this.#ended();
    return { kind: "documentEnd", line: this.#peek().line };
  }

  #readDirectives(): void {
    for (let token = this.#peek(); token.kind === "directive"; token = this.#peek()) {
      this.#directives.note(token.directive, token.line);
      this.#scanner.take();
    }
  }

  /** Where a node may stand, and nothing does. */
  #nothing(line: number): YamlEvent {
    return { kind: "scalar", line, value: "", isQuoted: false, tag: "", anchor: undefined };
  }

  #node(place: NodePlace): YamlEvent {
    const first = this.#peek();
    if (first.kind === "alias") {
      this.#return();
      this.#scanner.take();
      return { kind: "alias", line: first.line, name: first.name };
    }
    const properties = this.#properties(first.line);
    return this.#content(place, { ...properties, line: first.line });
  }

  /** An anchor and a tag, in either order. */
  #properties(line: number): NodeProperties {
    let anchor: string | undefined;
    let tag: { readonly written: Tag; readonly line: number } | undefined;
    for (let token = this.#peek(); ; token = this.#peek()) {
      if (token.kind === "anchor" && anchor === undefined) anchor = token.name;
      else if (token.kind === "tag" && tag === undefined) tag = { written: token.tag, line: token.line };
      else break;
      this.#scanner.take();
    }
    return { anchor, tag: tag === undefined ? "" : this.#directives.wholeTag(tag.written, line, tag.line) };
  }

  #content({ isBlock, mayBeIndentless = false }: NodePlace, properties: NodeProperties & { readonly line: number }): YamlEvent {
    const token = this.#peek();
    if (mayBeIndentless && token.kind === "blockEntry") return this.#start("sequenceStart", properties, () => this.#indentlessEntry());
    if (token.kind === "scalar") {
      this.#return();
      this.#scanner.take();
      return { ...properties, kind: "scalar", value: token.value, isQuoted: token.isQuoted };
    }
    if (token.kind === "[") return this.#start("sequenceStart", properties, () => this.#firstOf(() => this.#flowSequenceEntry(true)));
    if (token.kind === "{") return this.#start("mappingStart", properties, () => this.#firstOf(() => this.#flowMappingKey(true)));
    if (isBlock && token.kind === "blockSequence") {
      return this.#start("sequenceStart", properties, () => this.#firstOf(() => this.#blockSequenceEntry()));
    }
    if (isBlock && token.kind === "blockMapping") {
      return this.#start("mappingStart", properties, () => this.#firstOf(() => this.#blockMappingKey()));
    }
    if (properties.tag === "" && properties.anchor === undefined) {
      throw parserError("did not find expected node content", properties.line, token.line);
    }
    this.#return();
    return { ...this.#nothing(properties.line), ...properties };
  }

  #start(kind: "sequenceStart" | "mappingStart", properties: NodeProperties & { readonly line: number }, state: State): YamlEvent {
    this.#state = state;
    return { ...properties, kind };
  }

  /** The token that opens a collection, then its first entry. */
  #firstOf(entry: State): YamlEvent {
    this.#began.push(this.#peek().line);
    this.#scanner.take();
    return entry();
  }

  #end(kind: "sequenceEnd" | "mappingEnd"): YamlEvent {
    const { line } = this.#peek();
    this.#return();
    this.#began.pop();
    this.#scanner.take();
    return { kind, line };
  }

  /** A node, if one stands here, then `state`. */
  #nodeOrNothing(place: NodePlace, state: State, { without, line }: { readonly without: readonly Kind[]; readonly line: number }) {
    if (!this.#isNext(...without)) {
      this.#states.push(state);
      return this.#node(place);
    }
    this.#state = state;
    return this.#nothing(line);
  }

  #missing(words: string): Error {
    return parserError(words, this.#began.at(-1) ?? 0, this.#peek().line);
  }

  #blockSequenceEntry(): YamlEvent {
    const { line } = this.#peek();
    if (this.#takeIf("blockEntry")) {
      return this.#nodeOrNothing(BLOCK, () => this.#blockSequenceEntry(), { without: ["blockEntry", "blockEnd"], line });
    }
    if (this.#isNext("blockEnd")) return this.#end("sequenceEnd");
    throw this.#missing("did not find expected '-' indicator");
  }

  #indentlessEntry(): YamlEvent {
    const { line } = this.#peek();
    if (this.#takeIf("blockEntry")) {
      return this.#nodeOrNothing(BLOCK, () => this.#indentlessEntry(), { without: ["blockEntry", "key", "value", "blockEnd"], line });
    }
    this.#return();
    return { kind: "sequenceEnd", line };
  }

  #blockMappingKey(): YamlEvent {
    const { line } = this.#peek();
    if (this.#takeIf("key")) {
      return this.#nodeOrNothing(BLOCK_OR_INDENTLESS, () => this.#blockMappingValue(), { without: ["key", "value", "blockEnd"], line });
    }
    if (this.#isNext("blockEnd")) return this.#end("mappingEnd");
    throw this.#missing("did not find expected key");
  }

  #blockMappingValue(): YamlEvent {
    const { line } = this.#peek();
    const state = () => this.#blockMappingKey();
    if (this.#takeIf("value")) return this.#nodeOrNothing(BLOCK_OR_INDENTLESS, state, { without: ["key", "value", "blockEnd"], line });
    this.#state = state;
    return this.#nothing(line);
  }

  #flowSequenceEntry(isFirst: boolean): YamlEvent {
    if (this.#isNext("]")) return this.#end("sequenceEnd");
    if (!isFirst && !this.#takeIf("flowEntry")) throw this.#missing("did not find expected ',' or ']'");
    const { line } = this.#peek();
    if (this.#takeIf("key")) {
      this.#state = () => this.#pairKey();
      return { kind: "mappingStart", line, tag: "", anchor: undefined };
    }
    if (this.#isNext("]")) return this.#end("sequenceEnd");
    this.#states.push(() => this.#flowSequenceEntry(false));
    return this.#node(FLOW);
  }

  /** `[a: b]` is a list of a mapping. */
  #pairKey(): YamlEvent {
    if (!this.#isNext("value", "flowEntry", "]")) {
      this.#states.push(() => this.#pairValue());
      return this.#node(FLOW);
    }
    const { line } = this.#peek();
    // The library takes what should have ended the pair.
    this.#scanner.take();
    this.#state = () => this.#pairValue();
    return this.#nothing(line);
  }

  #pairValue(): YamlEvent {
    const { line } = this.#peek();
    const state = () => this.#pairEnd();
    if (this.#takeIf("value")) return this.#nodeOrNothing(FLOW, state, { without: ["flowEntry", "]"], line });
    this.#state = state;
    return this.#nothing(line);
  }

  #pairEnd(): YamlEvent {
    this.#state = () => this.#flowSequenceEntry(false);
    return { kind: "mappingEnd", line: this.#peek().line };
  }

  #flowMappingKey(isFirst: boolean): YamlEvent {
    if (this.#isNext("}")) return this.#end("mappingEnd");
    if (!isFirst && !this.#takeIf("flowEntry")) throw this.#missing("did not find expected ',' or '}'");
    if (this.#takeIf("key")) {
      const { line } = this.#peek();
      return this.#nodeOrNothing(FLOW, () => this.#flowMappingValue(), { without: ["value", "flowEntry", "}"], line });
    }
    if (this.#isNext("}")) return this.#end("mappingEnd");
    this.#states.push(() => this.#flowMappingNoValue());
    return this.#node(FLOW);
  }

  #flowMappingValue(): YamlEvent {
    const state = () => this.#flowMappingKey(false);
    if (this.#takeIf("value")) {
      return this.#nodeOrNothing(FLOW, state, { without: ["flowEntry", "}"], line: this.#peek().line });
    }
    this.#state = state;
    return this.#nothing(this.#peek().line);
  }

  /** `{a}` is a key without value. */
  #flowMappingNoValue(): YamlEvent {
    this.#state = () => this.#flowMappingKey(false);
    return this.#nothing(this.#peek().line);
  }
}
