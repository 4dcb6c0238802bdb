/** Error for a document that kubectl cannot read. Never leaves this folder. */
export class DocumentError extends Error {
  override readonly name = "DocumentError";
  /** Line of the document, from 1. */
  readonly line: number;

  /** `message` must not quote a value, because the document may be a Secret. */
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}
