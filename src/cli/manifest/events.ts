/** What a document is made of, in the order of its text: the nodes, and where each list and mapping ends. */

interface NodeProperties {
  /** Of the document, from 1. */
  readonly line: number;
  readonly anchor: string | undefined;
  /** Whole, as in `tag:yaml.org,2002:int`; empty where none is written. */
  readonly tag: string;
}

export type ScalarEvent = { readonly kind: "scalar"; readonly value: string; readonly isQuoted: boolean } & NodeProperties;

export type ManifestEvent =
  | ScalarEvent
  | ({ readonly kind: "list" | "mapping" } & NodeProperties)
  | { readonly kind: "alias"; readonly line: number; readonly name: string }
  | { readonly kind: "end" };

export type EventSink = (event: ManifestEvent) => void;

/** A document that kubectl cannot read. Never leaves this folder. */
export class DocumentError extends Error {
  override readonly name = "DocumentError";
  /** Of the document, from 1. */
  readonly line: number;

  /** `message` quotes no value: a document may be a Secret. */
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}
