import type { SyncReason } from "../domain/reasons.ts";

/** What this process knows of a class beyond what is stored. Losing it costs nothing but an early look. */
export interface ClassMemory {
  /** Unix milliseconds of the next poll. */
  nextPoll: number;
  /** Consecutive failed attempts. */
  failures: number;
  /** Unix milliseconds; meaningful while `failures` is above 0. */
  retryAt: number;
  /** Value of the refresh annotation at the last fetch. */
  lastRefresh: string | undefined;
  /** Repairs of edited or deleted Secrets; `last` in Unix milliseconds. */
  repairs: { readonly inARow: number; readonly last: number };
  /** Names of Secrets that failed at the last attempt. */
  failing: ReadonlySet<string>;
  /** Reason and message of the last event, so that a lasting state is told once. */
  lastTold: { readonly reason: SyncReason; readonly message: string } | undefined;
}

export class ClassMemories {
  readonly #byKey = new Map<string, ClassMemory>();
  readonly #warnings = new Map<string, string>();

  get(key: string): ClassMemory | undefined {
    return this.#byKey.get(key);
  }

  remember(key: string, memory: ClassMemory): ClassMemory {
    this.#byKey.set(key, memory);
    return memory;
  }

  /** The reason of its failure may be gone. */
  retryNow(key: string, now: number): void {
    const memory = this.#byKey.get(key);
    if (memory !== undefined) memory.retryAt = now;
  }

  forget(key: string): void {
    this.#byKey.delete(key);
  }

  /** Remembers what was warned of; an empty message says that nothing is wrong any more. */
  isNewWarning(key: string, message: string): boolean {
    const isNew = message !== "" && this.#warnings.get(key) !== message;
    if (message === "") this.#warnings.delete(key);
    else this.#warnings.set(key, message);
    return isNew;
  }
}
