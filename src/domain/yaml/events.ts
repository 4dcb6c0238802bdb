/** What a text of YAML is read as: its nodes, and where each list and mapping ends, in the order of the text. */

export interface NodeProperties {
  /** From 1. */
  readonly line: number;
  readonly anchor: string | undefined;
  /** Whole, as in `tag:yaml.org,2002:int`; empty where none is written. */
  readonly tag: string;
}

export type ScalarEvent = {
  readonly kind: "scalar";
  readonly value: string;
  /** Not plain: in quotes or a block. */
  readonly isQuoted: boolean;
} & NodeProperties;

export type YamlEvent =
  | ScalarEvent
  | ({ readonly kind: "list" | "mapping" } & NodeProperties)
  | { readonly kind: "alias"; readonly line: number; readonly name: string }
  | { readonly kind: "end" };

/** A text that is no YAML. Readers of YAML make a value of it. */
export class YamlSyntaxError extends Error {
  override readonly name = "YamlSyntaxError";
  /** From 1; 0 where it is not to be told. */
  readonly line: number;

  /** `words` quote nothing of the text: it may be a Secret. */
  constructor(words: string, line: number) {
    super(words);
    this.line = line;
  }
}

/** Characters that YAML forbids in its text. */
export const FORBIDDEN_CHARACTERS = /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
