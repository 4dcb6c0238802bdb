import type { Clock } from "../../domain/ports/clock.ts";
import type { VaultMetrics } from "./vault-metrics.ts";

/** Milliseconds for which an answer is kept: classes that name the same object are woken together and read it within this time. */
const KEPT_MS = 10_000;

/**
 * Maximum number of kept answers for all vaults and identities; the oldest are dropped first. The callers keep no answer of more than 75 KB,
 * so all answers together have at most 19 MB.
 */
const MAX_KEPT = 256;

interface Call {
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly answer: Promise<unknown>;
}

export interface SharedCall<T> {
  /** Identifies the vault, the identity and the question. */
  readonly key: string;
  /** Unix milliseconds. Answers to calls that began earlier do not count. */
  readonly notBefore: number;
  /** Whether to keep the answer for later callers. */
  readonly isKept: (answer: T) => boolean;
}

/**
 * Makes one call for all callers that ask the same at about the same time. A failure reaches only the callers that wait for it. The whole
 * worker has one instance, and each call drops the old answers of all identities, so that an identity without further calls keeps no value.
 */
export class SharedCalls {
  readonly #clock: Clock;
  readonly #metrics: VaultMetrics;
  readonly #calls = new Map<string, Call>();
  /** Times in Unix milliseconds at which the kept calls ended, in that order. */
  readonly #kept = new Map<string, number>();
  #scopes = 0;

  constructor(clock: Clock, metrics: VaultMetrics) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** Returns a prefix for the keys of one identity in one vault, which no other caller gets. */
  scope(): string {
    this.#scopes += 1;
    return String(this.#scopes);
  }

  async run<T>({ key, notBefore, isKept }: SharedCall<T>, ask: () => Promise<T>): Promise<T> {
    const now = this.#clock.now();
    this.#dropOld(now);
    const known = this.#calls.get(key);
    if (known !== undefined && known.startedAt >= notBefore) {
      this.#metrics.lookups.inc({ result: "shared" });
      // The same key always has this type of answer.
      return known.answer as Promise<T>;
    }
    this.#metrics.lookups.inc({ result: "asked" });
    const answer = ask();
    const call: Call = { startedAt: now, answer };
    this.#forget(key);
    this.#calls.set(key, call);
    try {
      const found = await answer;
      if (isKept(found)) this.#keep(key, call);
      else this.#drop(key, call);
      return found;
    } catch (error) {
      this.#drop(key, call);
      throw error;
    }
  }

  #keep(key: string, call: Call): void {
    if (this.#calls.get(key) !== call) return;
    this.#kept.set(key, this.#clock.now());
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#forget(oldest);
  }

  #drop(key: string, call: Call): void {
    if (this.#calls.get(key) === call) this.#forget(key);
  }

  #forget(key: string): void {
    this.#calls.delete(key);
    this.#kept.delete(key);
  }

  #dropOld(now: number): void {
    for (const [key, endedAt] of this.#kept) {
      // The remaining calls ended later.
      if (now - endedAt < KEPT_MS && now >= endedAt) return;
      this.#forget(key);
    }
  }
}
