export interface ShareLimits {
  /** Part of the process's time that the job can use. */
  readonly share: number;
  /** Milliseconds that accumulate while the job rests. A job that runs rarely never uses them up. */
  readonly mostSavedMs: number;
  /** Maximum number of milliseconds that the job owes, however long one part of it took. */
  readonly mostOwedMs: number;
}

/** Time that a job may use of the process's only thread, so that the job leaves the rest to others, however much it has to do. */
export class TimeShare {
  readonly #limits: ShareLimits;
  readonly #now: () => number;
  /** Below 0: milliseconds that the job owes. */
  #saved: number;
  #savedAt: number;

  /** `now`: milliseconds of a clock that does not jump. */
  constructor(limits: ShareLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#saved = limits.mostSavedMs;
    this.#savedAt = now();
  }

  /** Milliseconds for which the job must rest. 0 while it may run. */
  get restMs(): number {
    this.#save();
    return this.#saved >= 0 ? 0 : Math.ceil(-this.#saved / this.#limits.share);
  }

  /** Call this after each part of the job, with the milliseconds that it took. */
  spent(milliseconds: number): void {
    this.#save();
    this.#saved = Math.max(-this.#limits.mostOwedMs, this.#saved - Math.max(0, milliseconds));
  }

  #save(): void {
    const { share, mostSavedMs } = this.#limits;
    const now = this.#now();
    this.#saved = Math.min(mostSavedMs, this.#saved + share * Math.max(0, now - this.#savedAt));
    this.#savedAt = now;
  }
}
