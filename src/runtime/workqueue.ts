import { assertNever } from "../domain/assert-never.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { Logger } from "../domain/ports/logger.ts";
import type { Retry } from "../domain/ports/retry.ts";
import { type BackoffRange, backoffDelay } from "./backoff.ts";
import { DelayedKeys } from "./delayed-keys.ts";
import { ReadyKeys, type Sharing, type Taken } from "./ready-keys.ts";

/** How a run of a key ended. */
export type Outcome =
  | { readonly kind: "done" }
  | { readonly kind: "requeueAfter"; readonly milliseconds: number }
  /** Failed: again after `afterMs`, else after the key's own backoff. */
  | { readonly kind: "retry"; readonly error?: unknown; readonly afterMs?: number }
  /** Failed for good: nothing before the next add. */
  | { readonly kind: "terminal"; readonly error?: unknown };

/** What a queue tells about itself, for metrics. */
export interface WorkQueueObserver {
  /** A key was taken up after waiting this long since it became due. */
  onStarted?(waitedMs: number): void;
  onEnded?(outcome: Outcome["kind"], ranMs: number): void;
}

export interface WorkQueueOptions {
  /** Reads the whole state of the key and acts on it. A throw is a retry, as its `retry` says where it has one. */
  readonly handle: (key: string, signal: AbortSignal) => Promise<Outcome>;
  /** Keys handled at the same time. */
  readonly workers: number;
  /** Whose keys must not take all workers, and what many handlers may wait for. Default: every key for itself. */
  readonly sharing?: Sharing;
  readonly backoff: BackoffRange;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
  readonly observer?: WorkQueueObserver;
}

/**
 * A queue of keys, not of events. A key waits once however often it is added, never runs twice at a time, and runs again when it was added
 * while it ran. Only here is anything retried: per key, so that one that fails holds up no other.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #ready: ReadyKeys;
  /** Keys that a handler has; true where added again meanwhile. */
  readonly #running = new Map<string, boolean>();
  readonly #failures = new Map<string, number>();
  readonly #delayed: DelayedKeys;
  /** Unix milliseconds when a handler last began or ended. */
  #lastProgress = Number.NEGATIVE_INFINITY;
  #wake: () => void = () => undefined;

  constructor(options: WorkQueueOptions) {
    if (!Number.isInteger(options.workers) || options.workers < 1) throw new Error(`workers: ${options.workers} is not a positive number`);
    this.#options = options;
    this.#ready = new ReadyKeys(options.workers, options.sharing);
    this.#delayed = new DelayedKeys(options.clock, (key) => this.add(key));
  }

  /** Keys that are due and wait for a worker. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Whether any key is due that is none of these. */
  isDueBesides(keys: ReadonlySet<string>): boolean {
    return this.#ready.hasBesides(keys);
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#delayed.size;
  }

  /** Keys in a handler's hands. */
  get running(): number {
    return this.#running.size;
  }

  /** Milliseconds that the longest-waiting due key has waited; 0 where none does. */
  get oldestWaitMs(): number {
    const since = this.#ready.oldest;
    return since === undefined ? 0 : Math.max(0, this.#options.clock.now() - since);
  }

  /** Milliseconds in which keys were due and no handler began or ended; 0 while something goes on, or nothing is due. */
  get stalledMs(): number {
    const due = this.#ready.oldest;
    return due === undefined ? 0 : Math.max(0, this.#options.clock.now() - Math.max(due, this.#lastProgress));
  }

  /** Due now. A backoff of the key is not waited for: the world has changed. */
  add(key: string): void {
    if (this.#running.has(key)) {
      this.#running.set(key, true);
      return;
    }
    this.#ready.add(key, this.#options.clock.now());
    this.#wake();
  }

  /** Due in some milliseconds; of several such times the earliest counts. */
  addAfter(key: string, milliseconds: number): void {
    if (milliseconds <= 0) this.add(key);
    else this.#delayed.add(key, milliseconds);
  }

  /** Drops the key's delayed runs and its failures, for what no longer exists. A run that is due or under way is not stopped. */
  forget(key: string): void {
    this.#delayed.delete(key);
    this.#failures.delete(key);
  }

  /** Works until the signal aborts; resolves when the last running handler has ended. What waits then stays where it is. */
  async run(signal: AbortSignal): Promise<void> {
    const handlers = new Set<Promise<void>>();
    const bugs: unknown[] = []; // Of the queue, or of its observer: handlers' own errors are outcomes.
    const tracked = (work: Promise<void>): void => {
      const ended = (): void => {
        handlers.delete(handler);
        this.#wake(); // After the deletion, since it is what the loop looks at.
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

  /** One promise per wait, never a race against a long-lived one, which would remember every wait. */
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
      // A stop is no failure; the key is due again in the next process.
      return signal.aborted ? { kind: "done" } : outcomeOf(error);
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
        const afterMs = outcome.afterMs ?? backoffDelay(failures, this.#options.backoff, this.#options.random);
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

function outcomeOf(error: unknown): Outcome {
  const retry = retryOf(error);
  if (retry?.kind === "never") return { kind: "terminal", error };
  return retry?.kind === "after" ? { kind: "retry", error, afterMs: retry.milliseconds } : { kind: "retry", error };
}

/** Our adapters' errors say themselves how to be retried. */
function retryOf(error: unknown): Retry | undefined {
  return error instanceof Error && "retry" in error ? (error.retry as Retry) : undefined; // Only our own error classes have it.
}
