import { createHash } from "node:crypto";

/** Records in a block: so close comes the search for the first difference of two runs. */
const BLOCK = 1_000;

/** Everything that happened in a world, in its order, as a digest: two runs of a seed are the same where their digests are. */
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

  /** Of all records up to the end of each block, the last one included, which may be short. */
  get blocks(): readonly string[] {
    if (this.#pending.length > 0) this.#close();
    return this.#blocks;
  }

  /** Of everything. */
  get digest(): string {
    return this.blocks.at(-1) ?? "";
  }

  /** Records of the block that is kept. */
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
