import type { DecodingTask } from "../../domain/content/decoding.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Decoded, Decoder, DecodingTerms } from "../../domain/ports/decoder.ts";
import { DecodingThread } from "./decoding-thread.ts";
import { NamespaceTurns } from "./namespace-turns.ts";

/** One namespace has one of them at the most, so that the other is there for everybody else. */
const THREADS = 2;
/** A thread without work is ended after this time (milliseconds), for the sake of its memory. */
const IDLE_MS = 10_000;

interface Job {
  readonly task: DecodingTask;
  readonly milliseconds: number;
  readonly signal: AbortSignal;
  readonly resolve: (decoded: Decoded) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A few threads for work whose cost the authors of classes and secrets decide. Started when there is some; a thread that takes too long, or too
 * much memory, is ended and replaced. No more tasks wait than there are classes in hand, each of which has one at a time.
 */
export class DecodingThreads implements Decoder {
  readonly #clock: Clock;
  readonly #turns = new NamespaceTurns<Job>();
  /** With what wakes each before it is ended. */
  readonly #idle = new Map<DecodingThread, AbortController>();
  readonly #busy = new Set<DecodingThread>();
  /** Work and rests under way. */
  readonly #running = new Set<Promise<void>>();
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  decode(task: DecodingTask, { namespace, milliseconds }: DecodingTerms, signal: AbortSignal): Promise<Decoded> {
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason);
      if (signal.aborted || this.#isClosed) {
        abort();
        return;
      }
      signal.addEventListener("abort", abort, { once: true });
      const settled = (): void => signal.removeEventListener("abort", abort);
      const job: Job = {
        task,
        milliseconds,
        signal,
        resolve: (decoded) => {
          settled();
          resolve(decoded);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      this.#turns.add(namespace, job);
      this.#next();
    });
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const rest of this.#idle.values()) rest.abort();
    await Promise.all([...this.#busy].map((thread) => thread.end()));
    await Promise.all(this.#running);
  }

  #next(): void {
    while (this.#busy.size < THREADS && !this.#isClosed) {
      const taken = this.#turns.take();
      if (taken === undefined) return;
      this.#track(this.#work(taken.namespace, taken.item));
    }
  }

  async #work(namespace: string, { task, milliseconds, signal, resolve, reject }: Job): Promise<void> {
    if (signal.aborted) {
      this.#turns.end(namespace);
      return;
    }
    let thread: DecodingThread | undefined;
    try {
      // The system may refuse a thread: out of memory, or at the limit of its processes.
      thread = this.#thread();
      this.#busy.add(thread);
      resolve(await thread.perform(task, milliseconds));
    } catch (error) {
      reject(error);
    }
    this.#turns.end(namespace);
    if (thread !== undefined) {
      this.#busy.delete(thread);
      if (!thread.isEnded) this.#track(this.#rest(thread));
    }
    this.#next();
  }

  #thread(): DecodingThread {
    for (const [thread, rest] of this.#idle) {
      this.#idle.delete(thread);
      rest.abort();
      if (!thread.isEnded) return thread;
    }
    return new DecodingThread(this.#clock);
  }

  async #rest(thread: DecodingThread): Promise<void> {
    const rest = new AbortController();
    this.#idle.set(thread, rest);
    if (!this.#isClosed) await this.#clock.sleep(IDLE_MS, rest.signal).catch(() => undefined);
    // Taken for work meanwhile; at the close it still is here.
    if (this.#idle.get(thread) !== rest) return;
    this.#idle.delete(thread);
    await thread.end();
  }

  #track(run: Promise<void>): void {
    const tracked = run.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }
}
