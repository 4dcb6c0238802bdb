import { Worker } from "node:worker_threads";
import { type DecodingTask, valuesOf } from "../../domain/decoding.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Decoded } from "../../domain/ports/decoder.ts";
import { aborted } from "../../runtime/lifecycle.ts";
import { buffersOf, type ThreadMessage } from "./thread-message.ts";

/** Several times the memory for the largest file that fits into a Secret. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 } as const;

/** Minimum milliseconds between two checks of a thread's processor time. */
const LEAST_PAUSE_MS = 50;

/** If a thread gets less than a tenth of a processor, that says nothing about its task. The task is given up, to be tried again. */
const MOST_WAITS = 10;

/** Next to this file; after compilation, next to the program. */
function programUrl(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./thread.ts" : "./decoding-thread.js", import.meta.url);
}

type Answer = Extract<ThreadMessage, { readonly kind: "answer" }>;
type Ended = Extract<Decoded["outcome"], { readonly kind: "ended" }>;

/** One thread, which performs one task after the other. A thread that was ended cannot be used again. */
export class DecodingThread {
  readonly #clock: Clock;
  readonly #worker = new Worker(programUrl(), { resourceLimits: LIMITS, env: {}, name: "decoding" });
  #isEnded = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    // An idle thread does not keep the process alive.
    this.#worker.unref();
    const ended = (): void => {
      this.#isEnded = true;
    };
    // Between two tasks there is no other listener, and an error without a listener ends the process.
    this.#worker.on("exit", ended).on("error", ended);
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Hands the task's bytes over. Ends the thread if the task takes more than `milliseconds` of a processor. In real time, a machine that is
   * suspended or busy would count against the task. Rejects if the thread gets hardly any processor time.
   */
  async perform(task: DecodingTask, milliseconds: number): Promise<Decoded> {
    const started = this.#clock.now();
    const finished = new AbortController();
    const limit = this.#endAfter(milliseconds, finished.signal);
    this.#worker.ref();
    try {
      const answered = this.#answer();
      this.#worker.postMessage(task, buffersOf(valuesOf(task)));
      const answer = await answered;
      if (answer.kind === "answer") return { outcome: answer.answer, ran: answer.ran };
      finished.abort();
      if (await limit) throw new Error(`a decoding thread had less than ${milliseconds} ms of a processor in ${MOST_WAITS} times as long`);
      return { outcome: answer, ran: Math.min(milliseconds, this.#clock.now() - started) };
    } finally {
      finished.abort();
      await limit;
      this.#worker.unref();
    }
  }

  /**
   * Ends the thread once it has used this much of a processor, unless the task finishes before. Returns true if it ended the thread because
   * the thread gets no processor.
   */
  async #endAfter(milliseconds: number, finished: AbortSignal): Promise<boolean> {
    // In a thread that was not just started, this is the time of earlier tasks.
    const before = await this.#processorMs(finished);
    let ran = 0;
    let waited = 0;
    while (ran < milliseconds && waited < MOST_WAITS * milliseconds) {
      // The remaining work takes at least this long. Only the requested time counts, however late the wait ends.
      const pause = Math.max(LEAST_PAUSE_MS, milliseconds - ran);
      await this.#clock.sleep(pause, finished).catch(() => undefined);
      waited += pause;
      ran = Math.max(ran, (await this.#processorMs(finished)) - before);
      if (finished.aborted) return false;
    }
    await this.end();
    return ran < milliseconds;
  }

  /**
   * Returns the milliseconds of a processor that the thread has used, as soon as it can tell. Returns 0 before the thread runs, after it
   * has ended, and when the task finishes.
   */
  async #processorMs(finished: AbortSignal): Promise<number> {
    const usage = this.#worker.cpuUsage().then(
      ({ user, system }) => (user + system) / 1_000,
      () => 0,
    );
    return Promise.race([usage, aborted(finished).then(() => 0)]);
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#worker.terminate();
  }

  #answer(): Promise<Answer | Ended> {
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        worker.off("message", onMessage).off("error", onError).off("exit", onExit);
        act();
      };
      const onMessage = (message: ThreadMessage): void =>
        settle(() => {
          if (message.kind === "answer") resolve(message);
          else reject(new Error(`decoding threw ${message.name}\n${message.frames.join("\n")}`));
        });
      const onError = (error: Error & { readonly code?: string }): void =>
        settle(() => {
          this.#isEnded = true;
          if (error.code === "ERR_WORKER_OUT_OF_MEMORY") resolve({ kind: "ended", limit: "memory" });
          else reject(new Error(`a decoding thread failed: ${error.code ?? error.name}`));
        });
      // Ended by its deadline, or at the end of the process.
      const onExit = (): void => settle(() => resolve({ kind: "ended", limit: "time" }));
      worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    });
  }
}
