import {
  type DocumentOptions,
  type ParseOptions,
  type ScalarTag,
  type SchemaOptions,
  stringify,
  type Tags,
  type ToStringOptions,
} from "yaml";

/** Octal as YAML 1.2 writes it, which kubectl takes beside 1.1's `0644`. */
const OCTAL: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: /^[-+]?0o[0-7_]+$/,
  // Never chosen to write a number by.
  identify: () => false,
  resolve: (text) => Number.parseInt(text.replaceAll("_", "").replace("0o", ""), 8),
};

const NOT_IN_KUBERNETES = ["timestamp", "binary", "omap", "pairs", "set"].map((name) => `tag:yaml.org,2002:${name}`);

/**
 * YAML as kubectl reads it: version 1.1 (`yes` is a boolean, `0644` is octal), but times and base-60 numbers are text.
 * Written under the same rules, so that text that kubectl would take for something else stands in quotes.
 */
export const KUBERNETES_YAML: ParseOptions & DocumentOptions & SchemaOptions = {
  version: "1.1",
  schema: "yaml-1.1",
  customTags: (tags: Tags): Tags => [
    ...tags.filter((tag) => typeof tag === "string" || (tag.format !== "TIME" && !NOT_IN_KUBERNETES.includes(tag.tag))),
    OCTAL,
  ],
};

const AS_KUBECTL_WRITES: ToStringOptions = { lineWidth: 0, indentSeq: false };

export function toYaml(object: unknown): string {
  return stringify(object, { ...KUBERNETES_YAML, ...AS_KUBECTL_WRITES, aliasDuplicateObjects: false });
}
