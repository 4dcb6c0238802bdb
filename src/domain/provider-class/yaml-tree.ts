/**
 * Parses YAML text into a tree of raw text. No scalar gets a type here, so `0755`, `1e3`, and `null` stay as typed. The decoder gives some
 * of them a meaning, with the rules of the provider's YAML library.
 */
import { assertNever } from "../assert-never.ts";
import { failed, ok, type Result } from "../result.ts";
import { FORBIDDEN_CHARACTERS, type NodeProperties, type YamlEvent, YamlSyntaxError } from "../yaml/events.ts";
import { readYaml } from "../yaml/read-yaml.ts";

export interface YamlScalar {
  readonly kind: "scalar";
  readonly line: number;
  /** Short form (`!!int`); empty if the text has none. */
  readonly tag: string;
  /** Whether it is quoted or a block scalar, which is always text. */
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
  // `!` alone does not state the type of a plain scalar.
  if (tag === "!") return "";
  return tag.startsWith(LONG_TAG) ? `!!${tag.slice(LONG_TAG.length)}` : tag;
}

/** A collection that has not ended. `key` is the key of a mapping that has no value yet. */
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
    // A later anchor with the same name replaces an earlier one, as YAML requires.
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

/** Parses the first document of `text`. The error has the form of the provider's: `yaml: line 3: …`. */
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
