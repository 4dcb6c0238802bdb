import { type Bucket, type BucketLimits, type BucketTurn, fullBucket, takeTurns } from "../domain/schedule/token-bucket.ts";

/** In milliseconds of the thread's time. A job that runs rarely never uses up the burst. */
export interface ShareLimits extends BucketLimits {
  /** Maximum that the job owes, however long one part of it took. */
  readonly mostOwed: number;
}

/** Time that a job may use of the process's only thread, so that the job leaves the rest to others, however much it has to do. */
export class TimeShare {
  readonly #limits: ShareLimits;
  readonly #now: () => number;
  #bucket: Bucket;

  /** `now`: milliseconds of a clock that does not jump. */
  constructor(limits: ShareLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#bucket = fullBucket(limits, now());
  }

  /** Milliseconds for which the job must rest. 0 while it may run. */
  get restMs(): number {
    return this.#after(0).waitMs;
  }

  /** Call this after each part of the job, with the milliseconds that it took. */
  spent(milliseconds: number): void {
    const { bucket } = this.#after(milliseconds);
    this.#bucket = { ...bucket, tokens: Math.max(-this.#limits.mostOwed, bucket.tokens) };
  }

  #after(turns: number): BucketTurn {
    return takeTurns(this.#bucket, this.#limits, { now: this.#now(), turns });
  }
}
