/** What a text of YAML is read as: its nodes and their ends, in the order of the text. */

/** What may stand in front of a node. */
export interface NodeProperties {
  /** Whole; empty where none was written. */
  readonly tag: string;
  readonly anchor: string | undefined;
}

type EventContent =
  | { readonly kind: "streamEnd" | "documentStart" | "documentEnd" | "sequenceEnd" | "mappingEnd" }
  | { readonly kind: "alias"; readonly name: string }
  | ({ readonly kind: "scalar"; readonly value: string; readonly isQuoted: boolean } & NodeProperties)
  | ({ readonly kind: "sequenceStart" | "mappingStart" } & NodeProperties);

/** `line` from 0. */
export type YamlEvent = EventContent & { readonly line: number };
