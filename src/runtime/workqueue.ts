import { assertNever } from "../domain/assert-never.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { Logger } from "../domain/ports/logger.ts";
import type { Retry } from "../domain/ports/retry.ts";
import { type BackoffRange, backoffDelay } from "./backoff.ts";
import { DelayedKeys } from "./delayed-keys.ts";
import { ReadyKeys, type Sharing, type Taken } from "./ready-keys.ts";

/** Result of a run of a key. */
export type Outcome =
  | { readonly kind: "done" }
  | { readonly kind: "requeueAfter"; readonly milliseconds: number }
  /** Failed: runs again after `afterMs`, otherwise after the key's own backoff, or after `atMostMs` if that is sooner. */
  | { readonly kind: "retry"; readonly error?: unknown; readonly afterMs?: number; readonly atMostMs?: number | undefined }
  /** Failed for good: does not run before the next add. */
  | { readonly kind: "terminal"; readonly error?: unknown };

/** Receives the queue's events, for metrics. */
export interface WorkQueueObserver {
  /** A handler started a key that had been due for this long. */
  onStarted?(waitedMs: number): void;
  onEnded?(outcome: Outcome["kind"], ranMs: number): void;
}

export interface WorkQueueOptions {
  /** Reads the whole state of the key and acts on it. A thrown error counts as a retry, unless its `retry` specifies otherwise. */
  readonly handle: (key: string, signal: AbortSignal) => Promise<Outcome>;
  /** Number of keys handled at the same time. */
  readonly workers: number;
  /** Tenants whose keys must not take all workers, and backends that many handlers may wait for. Default: each key is its own tenant. */
  readonly sharing?: Sharing;
  readonly backoff: BackoffRange;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  readonly observer?: WorkQueueObserver;
}

/**
 * A queue of keys, not of events. A key waits once however often it is added, never runs twice at a time, and runs again if it was added
 * while it ran. Only this queue retries anything. It does so per key, so that a failing key does not delay the others.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #ready: ReadyKeys;
  /** Keys that a handler has; true if added again in the meantime. */
  readonly #running = new Map<string, boolean>();
  readonly #failures = new Map<string, number>();
  readonly #delayed: DelayedKeys;
  /** Unix milliseconds at which a handler last began or ended. */
  #lastProgress = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => undefined;

  constructor(options: WorkQueueOptions) {
    if (!Number.isInteger(options.workers) || options.workers < 1) throw new Error(`workers: ${options.workers} is not a positive number`);
    this.#options = options;
    this.#ready = new ReadyKeys(options.workers, options.sharing);
    this.#delayed = new DelayedKeys(options.clock, (key) => this.add(key));
  }

  /** Number of keys that are due and wait for a worker. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Whether any key other than these is due. */
  isDueBesides(keys: ReadonlySet<string>): boolean {
    return this.#ready.hasBesides(keys);
  }

  /** Number of keys that wait for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** Number of keys that a handler has. */
  get running(): number {
    return this.#running.size;
  }

  /** Milliseconds that the longest-waiting due key has waited; 0 if none waits. */
  get oldestWaitMs(): number {
    const since = this.#ready.oldest;
    return since === undefined ? 0 : Math.max(0, this.#options.clock.now() - since);
  }

  /** Milliseconds for which keys have been due without a handler beginning or ending; 0 if no key is due. */
  get stalledMs(): number {
    const due = this.#ready.oldest;
    return due === undefined ? 0 : Math.max(0, this.#options.clock.now() - Math.max(due, this.#lastProgress));
  }

  /** Makes the key due now. Does not wait for a backoff of the key, because the state has changed. */
  add(key: string): void {
    if (this.#running.has(key)) {
      this.#running.set(key, true);
      return;
    }
    this.#ready.add(key, this.#options.clock.now());
    this.#wake();
  }

  /** Makes the key due after this many milliseconds. Of several times, the earliest counts. */
  addAfter(key: string, milliseconds: number): void {
    if (milliseconds <= 0) this.add(key);
    else this.#delayed.add(key, milliseconds);
  }

  /** Drops the key's delayed runs and its failures, for an object that no longer exists. Does not stop a run that is due or in progress. */
  forget(key: string): void {
    this.#delayed.delete(key);
    this.#failures.delete(key);
  }

  /** Works until the signal aborts, and resolves when the last running handler has ended. Keys that wait then stay in the queue. */
  async run(signal: AbortSignal): Promise<void> {
    const handlers = new Set<Promise<void>>();
    const bugs: unknown[] = []; // Bugs of the queue or its observer. Errors of handlers are outcomes.
    const tracked = (work: Promise<void>): void => {
      const ended = (): void => {
        handlers.delete(handler);
        this.#wake(); // The handler's worker is free now.
      };
      const handler: Promise<void> = work.then(ended, (error: unknown) => {
        bugs.push(error);
        ended();
      });
      handlers.add(handler);
    };
    const timer = this.#delayed.run(signal).catch((error: unknown) => {
      bugs.push(error);
      this.#wake();
    });
    const wakeOnAbort = (): void => this.#wake();
    signal.addEventListener("abort", wakeOnAbort);
    while (!signal.aborted && bugs.length === 0) {
      const taken = this.#ready.take();
      if (taken === undefined) await this.#woken();
      else tracked(this.#process(taken, signal));
    }
    signal.removeEventListener("abort", wakeOnAbort);
    if (bugs.length > 0) throw bugs[0];
    await Promise.all([...handlers, timer]);
  }

  /** Creates one promise for each wait. A race against a long-lived promise would make that one remember every wait. */
  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #process(taken: Taken, signal: AbortSignal): Promise<void> {
    const { clock, observer } = this.#options;
    const { key, since } = taken;
    const started = clock.now();
    this.#lastProgress = started;
    this.#running.set(key, false);
    observer?.onStarted?.(started - since);
    const outcome = await this.#handle(key, signal);
    this.#lastProgress = clock.now();
    this.#ready.giveBack(taken);
    const isDirty = this.#running.get(key) === true;
    this.#running.delete(key);
    observer?.onEnded?.(outcome.kind, clock.now() - started);
    this.#settle(key, outcome);
    if (isDirty) this.add(key);
  }

  async #handle(key: string, signal: AbortSignal): Promise<Outcome> {
    try {
      return await this.#options.handle(key, signal);
    } catch (error) {
      // A stop is not a failure. The key is due again in the next process.
      return signal.aborted ? { kind: "done" } : outcomeOfError(error);
    }
  }

  #settle(key: string, outcome: Outcome): void {
    switch (outcome.kind) {
      case "done":
        this.#failures.delete(key);
        return;
      case "requeueAfter":
        this.#failures.delete(key);
        this.addAfter(key, outcome.milliseconds);
        return;
      case "retry": {
        const failures = (this.#failures.get(key) ?? 0) + 1;
        this.#failures.set(key, failures);
        const { backoff, random } = this.#options;
        const afterMs = outcome.afterMs ?? Math.min(backoffDelay(failures, backoff, random), outcome.atMostMs ?? Number.POSITIVE_INFINITY);
        this.#options.logger.warn("retry", { key, failures, afterMs, ...(outcome.error === undefined ? {} : { error: outcome.error }) });
        this.addAfter(key, afterMs);
        return;
      }
      case "terminal":
        this.#failures.delete(key);
        if (outcome.error !== undefined) this.#options.logger.error("not retried", { key, error: outcome.error });
        return;
      default:
        assertNever(outcome);
    }
  }
}

/** Returns the outcome of a run that throws this error. */
export function outcomeOfError(error: unknown): Outcome {
  const retry = retryOf(error);
  if (retry?.kind === "never") return { kind: "terminal", error };
  return retry?.kind === "after"
    ? { kind: "retry", error, afterMs: retry.milliseconds }
    : { kind: "retry", error, atMostMs: retry?.atMostMs };
}

/** Returns the retry that an error of our adapters specifies. */
function retryOf(error: unknown): Retry | undefined {
  return error instanceof Error && "retry" in error ? (error.retry as Retry) : undefined; // Only our own error classes have it.
}
