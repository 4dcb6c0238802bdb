import type { Clock } from "../../domain/ports/clock.ts";
import type { VaultMetrics } from "./vault-metrics.ts";

/** Classes that name the same object are woken together and come within this time (milliseconds). */
const KEPT_MS = 10_000;

/** An answer is 25 KB at most: 6 MB together. The oldest go first. */
const MAX_KEPT = 256;

interface Call {
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly answer: Promise<unknown>;
  /** Undefined while it is under way. */
  endedAt: number | undefined;
}

export interface SharedCall {
  readonly key: string;
  /** Answers to calls that began before are not taken. */
  readonly notBefore: number;
  /** Whether the answer is worth keeping for others. */
  readonly isKept: () => boolean;
}

/** One call for all who ask the same at about the same time. Failures are shared only by those who wait for them. */
export class SharedCalls {
  readonly #clock: Clock;
  readonly #metrics: VaultMetrics;
  readonly #calls = new Map<string, Call>();

  constructor(clock: Clock, metrics: VaultMetrics) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  async run<T>({ key, notBefore, isKept }: SharedCall, ask: () => Promise<T>): Promise<T> {
    const now = this.#clock.now();
    this.#dropOld(now);
    const known = this.#calls.get(key);
    if (known !== undefined && known.startedAt >= notBefore) {
      this.#metrics.lookups.inc({ result: "shared" });
      // Under one key only this type of answer is ever put.
      return known.answer as Promise<T>;
    }
    this.#metrics.lookups.inc({ result: "asked" });
    const answer = ask();
    const call: Call = { startedAt: now, answer, endedAt: undefined };
    this.#calls.delete(key);
    this.#calls.set(key, call);
    try {
      const found = await answer;
      if (isKept()) call.endedAt = this.#clock.now();
      else this.#drop(key, call);
      return found;
    } catch (error) {
      this.#drop(key, call);
      throw error;
    }
  }

  #drop(key: string, call: Call): void {
    if (this.#calls.get(key) === call) this.#calls.delete(key);
  }

  #dropOld(now: number): void {
    for (const [key, { endedAt }] of this.#calls) {
      const isFull = this.#calls.size >= MAX_KEPT;
      if (endedAt !== undefined && (isFull || now - endedAt >= KEPT_MS || now < endedAt)) this.#calls.delete(key);
    }
  }
}
