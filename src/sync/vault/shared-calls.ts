import type { Clock } from "../../domain/ports/clock.ts";
import type { VaultMetrics } from "./vault-metrics.ts";

/** Classes that name the same object are woken together and come within this time (milliseconds). */
const KEPT_MS = 10_000;

/** Of all vaults and identities. An answer is 25 KB at most: 6 MB together. The oldest go first. */
const MAX_KEPT = 256;

interface Call {
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly answer: Promise<unknown>;
}

export interface SharedCall<T> {
  /** Tells the vault, the identity and the question apart. */
  readonly key: string;
  /** Answers to calls that began before are not taken. */
  readonly notBefore: number;
  /** Whether the answer is worth keeping for others. */
  readonly isKept: (answer: T) => boolean;
}

/**
 * One call for all who ask the same at about the same time. Failures are shared only by those who wait for them. One for the whole worker, whose
 * next call, for whomever, drops what is old: an identity that is asked for nothing any more keeps no value.
 */
export class SharedCalls {
  readonly #clock: Clock;
  readonly #metrics: VaultMetrics;
  readonly #calls = new Map<string, Call>();
  /** When those that have ended did (Unix milliseconds), in that order. */
  readonly #kept = new Map<string, number>();
  #scopes = 0;

  constructor(clock: Clock, metrics: VaultMetrics) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** Begins the keys of one identity in one vault, and nobody else's. */
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
      // Under one key only this type of answer is ever put.
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
      // The others ended later.
      if (now - endedAt < KEPT_MS && now >= endedAt) return;
      this.#forget(key);
    }
  }
}
