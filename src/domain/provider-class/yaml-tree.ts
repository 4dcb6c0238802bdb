/**
 * YAML text to a tree of raw text: no scalar is given a type here, so `0755`, `1e3` and `null` stay what was typed.
 * Which of them mean something is decided by the decoder, the way the provider's YAML library decides it.
 */
import { assertNever } from "../assert-never.ts";
import { failed, ok, type Result } from "../result.ts";
import { FORBIDDEN_CHARACTERS, type NodeProperties, type YamlEvent, YamlSyntaxError } from "../yaml/events.ts";
import { readYaml } from "../yaml/read-yaml.ts";

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
  readonly target: YamlNode;
}

export type YamlNode = YamlScalar | YamlMapping | YamlSequence | YamlAlias;

const LONG_TAG = "tag:yaml.org,2002:";

function shortTag(tag: string): string {
  // `!` alone says nothing about the type of a plain scalar.
  if (tag === "!") return "";
  return tag.startsWith(LONG_TAG) ? `!!${tag.slice(LONG_TAG.length)}` : tag;
}

/** A collection that has not ended; of a mapping, the key that waits for its value. */
interface Open {
  readonly collection: YamlMapping | YamlSequence;
  key: YamlNode | undefined;
}

const nothing: YamlScalar = { kind: "scalar", line: 1, tag: "", quoted: false, value: "" };

class TreeBuilder {
  readonly #anchors = new Map<string, YamlNode>();
  readonly #open: Open[] = [];
  root: YamlNode = nothing;

  add(event: YamlEvent): void {
    switch (event.kind) {
      case "scalar":
        this.#place({ kind: "scalar", line: event.line, tag: shortTag(event.tag), quoted: event.isQuoted, value: event.value }, event);
        break;
      case "alias":
        this.#place({ kind: "alias", line: event.line, name: event.name, target: this.#target(event.name) });
        break;
      case "list":
        this.#start({ kind: "sequence", line: event.line, tag: shortTag(event.tag), items: [] }, event);
        break;
      case "mapping":
        this.#start({ kind: "mapping", line: event.line, tag: shortTag(event.tag), pairs: [] }, event);
        break;
      case "end":
        this.#open.pop();
        break;
      default:
        assertNever(event);
    }
  }

  #target(name: string): YamlNode {
    const target = this.#anchors.get(name);
    if (target === undefined) throw new YamlSyntaxError(`unknown anchor '${name}' referenced`, 0);
    return target;
  }

  #start(collection: YamlMapping | YamlSequence, properties: Pick<NodeProperties, "anchor">): void {
    this.#place(collection, properties);
    this.#open.push({ collection, key: undefined });
  }

  #place(node: YamlNode, { anchor }: Partial<NodeProperties> = {}): void {
    // Later anchors of the same name replace earlier ones, as YAML has it.
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    const around = this.#open.at(-1);
    if (around === undefined) this.root = node;
    else if (around.collection.kind === "sequence") around.collection.items.push(node);
    else if (around.key === undefined) around.key = node;
    else {
      around.collection.pairs.push({ key: around.key, value: node });
      around.key = undefined;
    }
  }
}

/** The first document of `text`. The error is a sentence in the provider's manner, `yaml: line 3: …`. */
export function parseYaml(text: string): Result<YamlNode, string> {
  if (FORBIDDEN_CHARACTERS.test(text)) return failed("yaml: control characters are not allowed");
  const builder = new TreeBuilder();
  try {
    readYaml(text, (event) => builder.add(event));
    return ok(builder.root);
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    return failed(error.line > 0 ? `yaml: line ${error.line}: ${error.message}` : `yaml: ${error.message}`);
  }
}
