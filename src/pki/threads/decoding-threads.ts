import type { DecodingTask } from "../../domain/decoding.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Decoded, Decoder, DecodingTerms } from "../../domain/ports/decoder.ts";
import { FairSlots } from "../../runtime/fair-slots.ts";
import { unlessAborted } from "../../runtime/lifecycle.ts";
import { DecodingThread } from "./decoding-thread.ts";

/** One namespace has one of them at the most, so that the other is there for everybody else. */
const THREADS = 2;
/** A thread without work is ended after this time (milliseconds), for the sake of its memory. */
const IDLE_MS = 10_000;

/**
 * A few threads for work whose cost the authors of classes and secrets decide. Started when there is some; a thread that takes too long, or too
 * much memory, is ended and replaced. No more tasks wait than there are classes in hand, each of which has one at a time.
 */
export class DecodingThreads implements Decoder {
  readonly #clock: Clock;
  readonly #slots = new FairSlots(THREADS);
  /** With what wakes each before it is ended. */
  readonly #idle = new Map<DecodingThread, AbortController>();
  readonly #busy = new Set<DecodingThread>();
  /** Work and rests under way. */
  readonly #running = new Set<Promise<void>>();
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Nobody who gives up waits for the thread, which goes on, and keeps its slot until it is done. */
  decode(task: DecodingTask, { namespace, milliseconds }: DecodingTerms, signal: AbortSignal): Promise<Decoded> {
    const work = this.#slots.run(namespace, signal, () => this.#perform(task, milliseconds));
    this.#track(work);
    return unlessAborted(work, signal);
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const rest of this.#idle.values()) rest.abort();
    await Promise.all([...this.#busy].map((thread) => thread.end()));
    await Promise.all(this.#running);
  }

  async #perform(task: DecodingTask, milliseconds: number): Promise<Decoded> {
    if (this.#isClosed) throw new Error("the decoding threads have ended");
    // The system may refuse a thread: out of memory, or at the limit of its processes.
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
    // Taken for work meanwhile; at the close it still is here.
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
