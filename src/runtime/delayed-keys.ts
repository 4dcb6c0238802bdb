import type { Clock } from "../domain/ports/clock.ts";

/** Node's timers hold no more: a longer one fires at once. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

/** Keys that become due later: one timer for all of them, and one time per key, the earliest asked for. */
export class DelayedKeys {
  readonly #clock: Clock;
  readonly #onDue: (key: string) => void;
  readonly #due = new Map<string, number>();
  #nextAt = Number.POSITIVE_INFINITY;
  #reschedule = new AbortController();

  constructor(clock: Clock, onDue: (key: string) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#due.size;
  }

  add(key: string, milliseconds: number): void {
    const at = Math.min(this.#clock.now() + milliseconds, this.#due.get(key) ?? Number.POSITIVE_INFINITY);
    this.#due.set(key, at);
    if (at < this.#nextAt) this.#reschedule.abort();
  }

  delete(key: string): void {
    this.#due.delete(key);
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#reschedule = new AbortController();
      this.#nextAt = this.#release();
      const delay = Math.min(Math.max(this.#nextAt - this.#clock.now(), 0), LONGEST_SLEEP_MS);
      try {
        await this.#clock.sleep(delay, AbortSignal.any([signal, this.#reschedule.signal]));
      } catch (error) {
        if (!signal.aborted && !this.#reschedule.signal.aborted) throw error;
      }
    }
  }

  /** Hands over what is due, and returns when the next will be. */
  #release(): number {
    const now = this.#clock.now();
    let nextAt = Number.POSITIVE_INFINITY;
    for (const [key, at] of this.#due) {
      if (at > now) {
        nextAt = Math.min(nextAt, at);
        continue;
      }
      this.#due.delete(key);
      this.#onDue(key);
    }
    return nextAt;
  }
}
