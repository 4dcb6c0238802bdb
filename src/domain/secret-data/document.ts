/** Reads a value that contains JSON or YAML. Numbers stay as written. */

import { isJsonObject } from "../json-object.ts";
import { resolveScalar } from "../provider-class/yaml-scalar-meaning.ts";
import { parseYaml, type YamlMapping, type YamlNode, type YamlScalar } from "../provider-class/yaml-tree.ts";
import { failed, ok, type Result } from "../result.ts";
import type { PathStep, PropertyPath } from "./property-path.ts";

/** Parsed JSON, in which every number is a {@link WrittenNumber}. */
export type DocumentNode = unknown;

/** A number as written. A JSON parser loses digits of large numbers. */
class WrittenNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Maximum number of nodes. Aliases to aliases can expand to far more than the length of the text. */
const MAX_NODES = 100_000;
/** Maximum number of characters of all texts, keys, and numbers together, counted again for each alias. No value of a Secret is larger. */
const MAX_CHARACTERS = 1_048_576;
/** Maximum depth of nested lists and mappings. */
const MAX_DEPTH = 200;
const TOO_DEEP = `it is nested deeper than ${MAX_DEPTH} levels`;

export function readDocument(text: string): Result<DocumentNode, string> {
  const json = readJson(text);
  if (json !== undefined) return isDeeper(json.node, MAX_DEPTH) ? failed(TOO_DEEP) : ok(json.node);
  const tree = parseYaml(text);
  if (!tree.ok) return failed("it is neither JSON nor YAML");
  const reader = new YamlReader();
  const node = reader.read(tree.value, MAX_DEPTH);
  return reader.problem === undefined ? ok(node) : failed(reader.problem);
}

/** Context that `JSON.parse` passes to its reviver in addition to the value. */
interface ReviverContext {
  readonly source?: string;
}

/**
 * Matches a JSON string with any content. A string without an end matches up to the end of the text. Otherwise, the search would restart at
 * each quote in it, and take quadratic time.
 */
const JSON_TEXT = /"(?:[^"\\]|\\.)*(?:"|\\?$)/gs;

/**
 * Escapes control characters in strings, such as the line breaks of a pasted PEM. JSON does not allow them, but many parsers accept them.
 * YAML would silently convert the line breaks to spaces.
 */
function withLineBreaks(text: string): string {
  return text.replaceAll(JSON_TEXT, (literal) => literal.replaceAll(/\p{Cc}/gu, (control) => JSON.stringify(control).slice(1, -1)));
}

function readJson(text: string): { readonly node: DocumentNode } | undefined {
  return parseJson(text) ?? (/^\s*[{[]/.test(text) ? parseJson(withLineBreaks(text)) : undefined);
}

function parseJson(text: string): { readonly node: DocumentNode } | undefined {
  // The parser's own errors quote the text.
  try {
    const asWritten = (_key: string, value: unknown, context?: ReviverContext): unknown =>
      typeof value === "number" ? new WrittenNumber(context?.source ?? String(value)) : value;
    return { node: JSON.parse(text, asWritten) };
  } catch {
    return undefined;
  }
}

function isDeeper(node: DocumentNode, levels: number): boolean {
  if (!Array.isArray(node) && !isMapping(node)) return false;
  return levels === 0 || Object.values(node).some((member) => isDeeper(member, levels - 1));
}

class YamlReader {
  problem: string | undefined;
  #nodes = 0;
  #characters = 0;

  /** `levels` is the number of levels that the node may contain. */
  read(node: YamlNode, levels: number): DocumentNode {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) this.problem = `with its aliases it has more than ${MAX_NODES} values`;
    if (levels < 0) this.problem = TOO_DEEP;
    if (this.problem !== undefined) return null;
    switch (node.kind) {
      case "alias":
        return this.read(node.target, levels);
      case "sequence":
        return node.items.map((item) => this.read(item, levels - 1));
      case "mapping":
        return this.#mapping(node, levels - 1);
      case "scalar":
        return this.#scalar(node);
    }
  }

  #take(text: string): void {
    this.#characters += text.length;
    if (this.#characters > MAX_CHARACTERS) this.problem = `with its aliases it has more than ${MAX_CHARACTERS} characters`;
  }

  #mapping({ pairs }: YamlMapping, levels: number): DocumentNode {
    for (const { key } of pairs) if (key.kind === "scalar") this.#take(key.value);
    const members = pairs.map(({ key, value }) => [key.kind === "scalar" ? key.value : "", this.read(value, levels)] as const);
    if (pairs.some(({ key }) => key.kind !== "scalar")) this.problem = "a key of a mapping is not text";
    return Object.fromEntries(members);
  }

  #scalar(node: YamlScalar): DocumentNode {
    this.#take(node.value);
    const resolved = resolveScalar(node);
    if (typeof resolved === "string") return node.value;
    if (resolved.tag === "!!null") return null;
    if (resolved.tag === "!!bool") return node.value.toLowerCase() === "true";
    return isJsonNumber(node.value) && resolved.tag !== "!!str" ? new WrittenNumber(node.value) : node.value;
  }
}

function isJsonNumber(text: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text);
}

/** Returns the node at the path; undefined if it does not exist. */
export function nodeAt(root: DocumentNode, path: PropertyPath): DocumentNode {
  let node: DocumentNode = root;
  for (const step of path) {
    node = memberOf(node, step);
    if (node === undefined) return undefined;
  }
  return node;
}

function memberOf(node: DocumentNode, step: PathStep): DocumentNode {
  if (Array.isArray(node)) return typeof step === "number" ? node[step] : undefined;
  if (!isMapping(node) || !Object.hasOwn(node, step)) return undefined;
  return node[step];
}

export function isMapping(node: DocumentNode): node is Readonly<Record<string, DocumentNode>> {
  return isJsonObject(node) && !(node instanceof WrittenNumber);
}

/** Returns a text unchanged, and everything else as JSON without spaces. */
export function textOf(node: DocumentNode): string {
  return typeof node === "string" ? node : jsonOf(node);
}

function jsonOf(node: DocumentNode): string {
  if (node instanceof WrittenNumber) return node.text;
  if (Array.isArray(node)) return `[${node.map(jsonOf).join(",")}]`;
  if (!isMapping(node)) return JSON.stringify(node);
  const members = Object.entries(node).map(([key, value]) => `${JSON.stringify(key)}:${jsonOf(value)}`);
  return `{${members.join(",")}}`;
}
