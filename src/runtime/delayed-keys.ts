import TinyQueue from "tinyqueue";
import type { Clock } from "../domain/ports/clock.ts";

/** Maximum of Node's timers: a longer one fires at once. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

interface Time {
  readonly key: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Outdated times are dropped once they outnumber the current ones by this many. */
const MANY_TIMES = 1_000;

/** Keys that become due later. There is one timer for all of them, and one time per key: the earliest requested. */
export class DelayedKeys {
  readonly #clock: Clock;
  readonly #onDue: (key: string) => void;
  readonly #due = new Map<string, number>();
  /** The times of {@link #due}, and some outdated ones. The earliest comes first. */
  #times = heapOf([]);
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
    const before = this.#due.get(key) ?? Number.POSITIVE_INFINITY;
    const at = this.#clock.now() + milliseconds;
    if (at >= before) return;
    this.#due.set(key, at);
    this.#times.push({ key, at });
    if (this.#times.length > MANY_TIMES + 2 * this.#due.size) this.#times = heapOf(this.#due);
    if (at < this.#nextAt) this.#reschedule.abort();
  }

  delete(key: string): void {
    this.#due.delete(key);
  }

  /** Runs until the signal aborts. */
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

  /** Hands over the keys that are due, and returns when the next one will be. */
  #release(): number {
    const now = this.#clock.now();
    for (let first = this.#times.peek(); first !== undefined; first = this.#times.peek()) {
      const { key, at } = first;
      const isCurrent = this.#due.get(key) === at;
      if (isCurrent && at > now) return at;
      this.#times.pop();
      if (!isCurrent) continue;
      this.#due.delete(key);
      this.#onDue(key);
    }
    return Number.POSITIVE_INFINITY;
  }
}

function heapOf(due: Iterable<readonly [string, number]>): TinyQueue<Time> {
  return new TinyQueue(
    Array.from(due, ([key, at]) => ({ key, at })),
    (one, other) => one.at - other.at,
  );
}
