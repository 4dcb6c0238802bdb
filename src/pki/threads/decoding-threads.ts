import type { DecodingTask } from "../../domain/decoding.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Decoded, Decoder, DecodingTerms } from "../../domain/ports/decoder.ts";
import { FairSlots } from "../../runtime/fair-slots.ts";
import { unlessAborted } from "../../runtime/lifecycle.ts";
import { DecodingThread } from "./decoding-thread.ts";

/** One namespace has at most one of them, so that the other is available to all other namespaces. */
const THREADS = 2;
/** A thread without work is ended after this time (milliseconds), to free its memory. */
const IDLE_MS = 10_000;

/**
 * A few threads for work whose cost the authors of classes and secrets determine. They are started when there is work. A thread that takes
 * too long, or too much memory, is ended and replaced. The number of waiting tasks never exceeds the number of classes in progress, because
 * each class has one task at a time.
 */
export class DecodingThreads implements Decoder {
  readonly #clock: Clock;
  readonly #slots = new FairSlots(THREADS);
  /** Each with the controller that ends its rest. */
  readonly #idle = new Map<DecodingThread, AbortController>();
  readonly #busy = new Set<DecodingThread>();
  /** Work and rests in progress. */
  readonly #running = new Set<Promise<void>>();
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A caller that gives up does not wait for the thread, which continues, and keeps its slot until it is done. */
  decode(task: DecodingTask, { namespace, milliseconds }: DecodingTerms, signal: AbortSignal): Promise<Decoded> {
    const work = this.#slots.run(namespace, signal, () => this.#perform(task, milliseconds));
    this.#track(work);
    return unlessAborted(work, signal);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const rest of this.#idle.values()) rest.abort();
    await Promise.all([...this.#busy].map((thread) => thread.end()));
    await Promise.all(this.#running);
  }

  async #perform(task: DecodingTask, milliseconds: number): Promise<Decoded> {
    if (this.#isClosed) throw new Error("the decoding threads have ended");
    // The system may refuse a thread if it is out of memory, or at its limit of processes.
    const thread = this.#thread();
    this.#busy.add(thread);
    try {
      return await thread.perform(task, milliseconds);
    } finally {
      this.#busy.delete(thread);
      if (!thread.isEnded) this.#track(this.#rest(thread));
    }
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
    // A task took the thread in the meantime. At the close it is still here.
    if (this.#idle.get(thread) !== rest) return;
    this.#idle.delete(thread);
    await thread.end();
  }

  #track(run: Promise<unknown>): void {
    const ended = (): void => void this.#running.delete(tracked);
    const tracked = run.then(ended, ended);
    this.#running.add(tracked);
  }
}
