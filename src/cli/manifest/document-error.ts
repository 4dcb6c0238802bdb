/** What a document that kubectl cannot read is told by. */

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
