/** Reads a YAML parameter of this project: mappings of texts, lists of texts, and nothing else. Errors name the place. */
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import type { YamlNode } from "./yaml-tree.ts";

export interface MisreadYaml {
  readonly message: string;
  /** Place after the parameter's name, for example `[shop][names]`. */
  readonly place: string;
}

export type MappingMembers = ReadonlyMap<string, YamlNode>;

function misread(message: string, place: string): { readonly ok: false; readonly error: MisreadYaml } {
  return failed({ message, place });
}

export function mappingMembers(node: YamlNode, place: string): Result<MappingMembers, MisreadYaml> {
  if (node.kind !== "mapping") return misread("it is not a mapping", place);
  const members = new Map<string, YamlNode>();
  for (const { key, value } of node.pairs) {
    if (key.kind !== "scalar") return misread("a name is not text", place);
    if (members.has(key.value)) return misread(`it contains ${quoted(key.value)} twice`, place);
    members.set(key.value, value);
  }
  return ok(members);
}

export function textAt(node: YamlNode, place: string): Result<string, MisreadYaml> {
  return node.kind === "scalar" ? ok(node.value) : misread("it is not text", place);
}

/** Reads a list of texts. A single text is a list of one. */
export function textsAt(node: YamlNode, place: string): Result<readonly string[], MisreadYaml> {
  if (node.kind === "scalar") return ok([node.value]);
  if (node.kind !== "sequence") return misread("it is not a list of texts", place);
  const texts = node.items.flatMap((item) => (item.kind === "scalar" ? [item.value] : []));
  return texts.length === node.items.length ? ok(texts) : misread("it is not a list of texts", place);
}

export function textMapAt(node: YamlNode, place: string): Result<ReadonlyMap<string, string>, MisreadYaml> {
  const members = mappingMembers(node, place);
  if (!members.ok) return members;
  const texts = new Map<string, string>();
  for (const [name, value] of members.value) {
    const text = textAt(value, `${place}[${name}]`);
    if (!text.ok) return text;
    texts.set(name, text.value);
  }
  return ok(texts);
}
