/** Events of a YAML parser: the nodes of a text, and the ends of its lists and mappings, in the order of the text. */

export interface NodeProperties {
  /** Starts at 1. */
  readonly line: number;
  readonly anchor: string | undefined;
  /** The full tag, such as `tag:yaml.org,2002:int`; empty if the text has none. */
  readonly tag: string;
}

export type ScalarEvent = {
  readonly kind: "scalar";
  readonly value: string;
  /** Whether the scalar is not plain: in quotes or a block. */
  readonly isQuoted: boolean;
} & NodeProperties;

export type YamlEvent =
  | ScalarEvent
  | ({ readonly kind: "list" | "mapping" } & NodeProperties)
  | { readonly kind: "alias"; readonly line: number; readonly name: string }
  | { readonly kind: "end" };

/** Error for a text that is not valid YAML. Callers convert it to a value. */
export class YamlSyntaxError extends Error {
  override readonly name = "YamlSyntaxError";
  /** Starts at 1. 0 if unknown. */
  readonly line: number;

  /** `words` must not quote the text, because it may be a Secret. */
  constructor(words: string, line: number) {
    super(words);
    this.line = line;
  }
}

/** Characters that a YAML text must not contain. */
export const FORBIDDEN_CHARACTERS = /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
