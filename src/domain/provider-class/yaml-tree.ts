/**
 * YAML text to a tree of raw text: no scalar is given a type here, so `0755`, `1e3` and `null` stay what was typed.
 * Which of them mean something is decided by the decoder, the way the provider's YAML library decides it.
 */
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from "yaml";

import { failed, ok, type Result } from "../result.ts";
import { syntaxError } from "./yaml-errors.ts";

export interface YamlScalar {
  readonly kind: "scalar";
  readonly line: number;
  /** Short form (`!!int`); empty where none was written. */
  readonly tag: string;
  /** Quoted or a block scalar: always text, whatever it looks like. */
  readonly quoted: boolean;
  readonly value: string;
}

export interface YamlMapping {
  readonly kind: "mapping";
  readonly line: number;
  readonly tag: string;
  readonly pairs: { readonly key: YamlNode; readonly value: YamlNode }[];
}

export interface YamlSequence {
  readonly kind: "sequence";
  readonly line: number;
  readonly tag: string;
  readonly items: YamlNode[];
}

export interface YamlAlias {
  readonly kind: "alias";
  readonly line: number;
  readonly name: string;
  /** Undefined where no such anchor precedes the alias. */
  readonly target: YamlNode | undefined;
}

export type YamlNode = YamlScalar | YamlMapping | YamlSequence | YamlAlias;

const LONG_TAG = "tag:yaml.org,2002:";

/** Characters that YAML forbids in its text; the provider's library refuses them too. */
const FORBIDDEN = /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

interface Building {
  readonly lines: LineCounter;
  readonly anchors: Map<string, YamlNode>;
}

type RangedNode = { readonly range?: readonly [number, number, number] | null | undefined };

function lineOf(node: RangedNode, { lines }: Building): number {
  return node.range ? lines.linePos(node.range[0]).line : 1;
}

function shortTag(tag: string | undefined): string {
  // `!` alone says nothing about the type of a plain scalar.
  if (tag === undefined || tag === "!") return "";
  return tag.startsWith(LONG_TAG) ? `!!${tag.slice(LONG_TAG.length)}` : tag;
}

function remember<Node extends YamlNode>(node: Node, anchor: string | undefined, { anchors }: Building): Node {
  // Later anchors of the same name replace earlier ones, as YAML has it.
  if (anchor !== undefined) anchors.set(anchor, node);
  return node;
}

const nothing = (line: number): YamlScalar => ({ kind: "scalar", line, tag: "", quoted: false, value: "" });

function build(node: unknown, building: Building): YamlNode {
  if (isScalar(node)) {
    const value = typeof node.value === "string" ? node.value : "";
    const quoted = node.type !== "PLAIN" && node.type !== undefined;
    return remember({ kind: "scalar", line: lineOf(node, building), tag: shortTag(node.tag), quoted, value }, node.anchor, building);
  }
  if (isAlias(node)) return { kind: "alias", line: lineOf(node, building), name: node.source, target: building.anchors.get(node.source) };
  if (isSeq(node)) {
    const sequence: YamlSequence = { kind: "sequence", line: lineOf(node, building), tag: shortTag(node.tag), items: [] };
    remember(sequence, node.anchor, building);
    for (const item of node.items) sequence.items.push(buildItem(item, sequence.line, building));
    return sequence;
  }
  if (isMap(node)) {
    const mapping: YamlMapping = { kind: "mapping", line: lineOf(node, building), tag: shortTag(node.tag), pairs: [] };
    remember(mapping, node.anchor, building);
    for (const { key, value } of node.items) {
      const builtKey = build(key, building);
      mapping.pairs.push({ key: builtKey, value: build(value, building) });
    }
    return mapping;
  }
  return nothing(1);
}

/** `[a: b]` is a list of one-entry mappings. */
function buildItem(item: unknown, line: number, building: Building): YamlNode {
  if (!isPair(item)) return build(item, building);
  return { kind: "mapping", line, tag: "", pairs: [{ key: build(item.key, building), value: build(item.value, building) }] };
}

function parse(text: string): Result<YamlNode, string> {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    schema: "failsafe",
    version: "1.2",
    // Both are the decoder's business, so that it can answer as the provider does.
    uniqueKeys: false,
    merge: false,
    strict: false,
    prettyErrors: false,
    keepSourceTokens: false,
    resolveKnownTags: false,
    logLevel: "silent",
    lineCounter: lines,
  });
  // Only the first document of a stream is read.
  const error = document.errors.find(({ code }) => code !== "MULTIPLE_DOCS");
  if (error) return failed(syntaxError(error.message, lines.linePos(error.pos[0]).line));
  return ok(build(document.contents, { lines, anchors: new Map() }));
}

/** The first document of `text`. The error is a sentence in the provider's manner, `yaml: line 3: …`. */
export function parseYaml(text: string): Result<YamlNode, string> {
  if (FORBIDDEN.test(text)) return failed("yaml: control characters are not allowed");
  try {
    return parse(text);
  } catch {
    // The library recurses; the only input that makes it throw is one nested deeper than the stack.
    return failed("yaml: exceeded max depth of 10000");
  }
}
