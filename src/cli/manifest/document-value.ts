/** Builds the value that kubectl makes of a document from its events. Uses no recursion, so that depth takes memory, not stack. */
import { assertNever } from "../../domain/assert-never.ts";
import { quoted } from "../../domain/quoted.ts";
import type { ScalarEvent, YamlEvent } from "../../domain/yaml/events.ts";
import { AliasBound } from "./alias-bound.ts";
import { DocumentError } from "./document-error.ts";
import { isMembers, type JsonMembers, NoJson, refuseNoJson, setMember, type Value } from "./json-value.ts";
import { keyText, scalarValue } from "./yaml-scalar.ts";

/** Lines of the keys of a mapping, or of the items of a list. */
type Lines = Map<string, number> | number[];

/** A node with everything in it, aliases expanded. */
interface Node {
  readonly value: Value;
  /** Number of steps in which kubectl's library decodes the node. */
  readonly steps: number;
  /** Approximate number of characters that it takes to print the node. */
  readonly characters: number;
  readonly depth: number;
}

interface Anchored {
  /** Undefined while the node is open. */
  node: Node | undefined;
  readonly scalar: ScalarEvent | undefined;
}

/** A list or mapping that has not ended. */
interface Collection {
  readonly value: JsonMembers | Value[];
  readonly lines: Lines;
  readonly anchored: Anchored | undefined;
  /** For a mapping: the key that waits for its value. */
  key: { readonly text: string } | "merge" | undefined;
  /** Keys that exist only because of a merge. */
  merged: Set<string> | undefined;
  noJson: NoJson | undefined;
  steps: number;
  characters: number;
  depth: number;
}

/** Deeper than any object, and as deep as every part of the program supports. */
const MAX_DEPTH = 1_000;
/** More warnings of this kind would say nothing new. */
const MAX_WARNINGS = 20;
/** Number of characters of a scalar that is not text. */
const SHORT = 8;
const INDENT = 2;

const MERGE_TAG = "tag:yaml.org,2002:merge";
const NO_MERGE = "<< can merge only a mapping or a list of mappings";
const NO_KEY = "a key is a list or a mapping";

export interface KeyWarning {
  readonly line: number;
  readonly message: string;
}

export class DocumentBuilder {
  readonly #anchors = new Map<string, Anchored>();
  readonly #open: Collection[] = [];
  readonly #bound = new AliasBound();
  readonly #lines = new Map<unknown, Lines>();
  readonly warnings: KeyWarning[] = [];
  #root: Node | undefined;
  #hasNoJson = false;
  /** Line of the first node; undefined if the document has none. */
  line: number | undefined;

  readonly add = (event: YamlEvent): void => {
    switch (event.kind) {
      case "scalar":
        return this.#isKeyNext ? this.#key(event) : this.#scalar(event);
      case "alias":
        return this.#alias(event.name, event.line);
      case "list":
        return this.#start([], event);
      case "mapping":
        return this.#start({}, event);
      case "end":
        return this.#end();
      default:
        return assertNever(event);
    }
  };

  /** Returns the value of the document; null if no event was added. */
  finish(): unknown {
    if (this.#hasNoJson) refuseNoJson(this.#root?.value);
    return this.#root?.value ?? null;
  }

  /** Approximate number of characters that it takes to print the document. */
  get characters(): number {
    return this.#root?.characters ?? 0;
  }

  /** Returns the line of the field's key, or of the nearest field around it. */
  lineOf(path: readonly (string | number)[]): number {
    let value: unknown = this.#root?.value;
    let line = this.line ?? 1;
    for (const step of path) {
      const lines = this.#lines.get(value);
      line = (Array.isArray(lines) ? lines[Number(step)] : lines?.get(String(step))) ?? line;
      value = typeof value === "object" && value !== null && Object.hasOwn(value, step) ? Object(value)[step] : undefined;
    }
    return line;
  }

  get #around(): Collection | undefined {
    return this.#open.at(-1);
  }

  get #isKeyNext(): boolean {
    const around = this.#around;
    return around !== undefined && !Array.isArray(around.value) && around.key === undefined;
  }

  #scalar(event: ScalarEvent): void {
    const node = this.#scalarNode(event);
    if (event.anchor !== undefined) this.#anchors.set(event.anchor, { node, scalar: event });
    this.#count(event.line, 1);
    this.#place(node, event.line);
  }

  #scalarNode(event: ScalarEvent): Node {
    const read = scalarValue(event);
    if (!read.ok) throw new DocumentError(event.line, read.error);
    const isFinite = typeof read.value !== "number" || Number.isFinite(read.value);
    const value = isFinite ? read.value : this.#noJson(event.line, `${event.value} cannot be represented in JSON; quote it if it is text`);
    return { value, steps: 1, characters: typeof value === "string" ? value.length : SHORT, depth: 0 };
  }

  #noJson(line: number, message: string): NoJson {
    this.#hasNoJson = true;
    return new NoJson(line, message);
  }

  #key(event: ScalarEvent): void {
    if (event.anchor !== undefined) this.#anchors.set(event.anchor, { node: this.#scalarNode(event), scalar: event });
    const around = this.#innermost();
    if (isMerge(event)) {
      around.key = "merge";
      return;
    }
    this.#count(event.line, 1);
    this.#setKey(around, event, event.line);
  }

  #setKey(around: Collection, scalar: ScalarEvent, line: number): void {
    const read = keyText(scalar);
    if (!read.ok) throw new DocumentError(line, read.error);
    if (read.value === undefined) around.noJson ??= this.#noJson(line, "a key is null, or exceeds 64 bits; quote it if it is text");
    const text = read.value ?? "";
    around.key = { text };
    if (around.lines instanceof Map) around.lines.set(text, line);
    around.steps += 1;
    around.characters += text.length;
    if (around.merged?.delete(text) !== true && Object.hasOwn(around.value, text)) {
      this.warn(line, `the key ${quoted(text)} occurs twice in a mapping; kubectl uses the last one`);
    }
  }

  #alias(name: string, line: number): void {
    const anchored = this.#anchors.get(name);
    if (anchored === undefined) throw new DocumentError(line, `there is no anchor &${name}`);
    const { node, scalar } = anchored;
    if (node === undefined) throw new DocumentError(line, `the value of anchor &${name} contains itself`);
    this.#count(line, node.steps + 1, node.steps);
    const around = this.#around;
    if (around !== undefined && this.#isKeyNext) {
      if (scalar === undefined) throw new DocumentError(line, NO_KEY);
      around.steps += 1;
      return this.#setKey(around, scalar, line);
    }
    // kubectl merges a list of mappings only if it is written in place, not if it is an alias.
    if (around?.key === "merge" && Array.isArray(node.value)) throw new DocumentError(line, NO_MERGE);
    this.#place({ ...node, steps: node.steps + 1 }, line);
  }

  #start(value: JsonMembers | Value[], { line, anchor }: Extract<YamlEvent, { kind: "list" | "mapping" }>): void {
    if (this.#isKeyNext) throw new DocumentError(line, NO_KEY);
    if (this.#open.length === MAX_DEPTH) throw tooDeep(line);
    const anchored = anchor === undefined ? undefined : { node: undefined, scalar: undefined };
    if (anchor !== undefined && anchored !== undefined) this.#anchors.set(anchor, anchored);
    // kubectl's library counts no step for a list that is merged, only for its items.
    const steps = this.#around?.key === "merge" && Array.isArray(value) ? 0 : 1;
    this.#count(line, steps);
    this.#begin(line);
    const lines = Array.isArray(value) ? [] : new Map<string, number>();
    this.#lines.set(value, lines);
    this.#open.push({ value, lines, anchored, key: undefined, merged: undefined, noJson: undefined, steps, characters: 0, depth: 1 });
  }

  #end(): void {
    const { value, anchored, noJson, steps, characters, depth } = this.#innermost();
    this.#open.pop();
    const node: Node = { value: noJson ?? value, steps, characters, depth };
    if (anchored !== undefined) anchored.node = node;
    this.#join(node, this.line ?? 1);
  }

  /** Adds a node that begins on this line. */
  #place(node: Node, line: number): void {
    this.#begin(line);
    this.#join(node, line);
  }

  #begin(line: number): void {
    this.line ??= line;
    const lines = this.#around?.lines;
    if (Array.isArray(lines)) lines.push(line);
  }

  #join(node: Node, line: number): void {
    const around = this.#around;
    if (around === undefined) {
      this.#root = node;
      return;
    }
    around.steps += node.steps;
    around.characters += node.characters + INDENT * node.steps;
    around.depth = Math.max(around.depth, node.depth + 1);
    if (this.#open.length + node.depth > MAX_DEPTH) throw tooDeep(line);
    const { value, key } = around;
    if (Array.isArray(value)) value.push(node.value);
    else if (key === "merge") this.#merge(around, node.value, line);
    else setMember(value, key?.text ?? "", node.value);
    around.key = undefined;
  }

  /** Merges into a mapping. A merge replaces keys before it, and keys after it replace the merged ones. */
  #merge(into: Collection, source: Value, line: number): void {
    for (const each of Array.isArray(source) ? source.toReversed() : [source]) {
      if (each instanceof NoJson) into.noJson ??= each;
      else if (!isMembers(each)) throw new DocumentError(line, NO_MERGE);
      else for (const [key, value] of Object.entries(each)) this.#mergeMember(into, key, { value, lines: this.#lines.get(each) });
    }
  }

  #mergeMember(into: Collection, key: string, { value, lines }: { readonly value: Value; readonly lines: Lines | undefined }): void {
    const line = lines instanceof Map ? lines.get(key) : undefined;
    into.merged ??= new Set();
    if (!Object.hasOwn(into.value, key)) into.merged.add(key);
    if (line !== undefined && into.lines instanceof Map) into.lines.set(key, line);
    if (isMembers(into.value)) setMember(into.value, key, value);
  }

  #count(line: number, steps: number, aliasSteps = 0): void {
    if (this.#bound.take(steps, aliasSteps)) return;
    throw new DocumentError(line, "aliases produce nearly all of the document; write it out, or split it into several documents");
  }

  #innermost(): Collection {
    const around = this.#around;
    if (around === undefined) throw new Error("no list or mapping is open");
    return around;
  }

  warn(line: number, message: string): void {
    if (this.warnings.length < MAX_WARNINGS) this.warnings.push({ line, message });
  }
}

function isMerge({ value, isQuoted, tag }: ScalarEvent): boolean {
  return value === "<<" && (tag === "!" || tag === MERGE_TAG || (tag === "" && !isQuoted));
}

function tooDeep(line: number): DocumentError {
  return new DocumentError(line, `nested deeper than ${MAX_DEPTH} levels`);
}
