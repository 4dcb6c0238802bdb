import { createHash } from "node:crypto";

/** Number of records in a block. The search for the first difference of two runs first finds the block. */
const BLOCK = 1_000;

/** A digest of all events in a world, in order: two runs are the same if their digests are. */
export class Trace {
  readonly #hash = createHash("sha256");
  readonly #kept: number | undefined;
  readonly #blocks: string[] = [];
  readonly #lines: string[] = [];
  #pending: string[] = [];

  /** `kept`: number of the block whose records are kept as text. */
  constructor(kept?: number) {
    this.#kept = kept;
  }

  note(record: string): void {
    this.#pending.push(record);
    if (this.#pending.length === BLOCK) this.#close();
  }

  /** Digests of all records up to the end of each block. The last block can be short. */
  get blocks(): readonly string[] {
    if (this.#pending.length > 0) this.#close();
    return this.#blocks;
  }

  /** Digest of all records. */
  get digest(): string {
    return this.blocks.at(-1) ?? "";
  }

  /** Records of the kept block. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  #close(): void {
    if (this.#blocks.length === this.#kept) this.#lines.push(...this.#pending);
    this.#hash.update(this.#pending.join("\n"));
    this.#pending = [];
    this.#blocks.push(this.#hash.copy().digest("hex").slice(0, 16));
  }
}
