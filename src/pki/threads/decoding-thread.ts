import { Worker } from "node:worker_threads";
import { type DecodingTask, valuesOf } from "../../domain/decoding.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Decoded } from "../../domain/ports/decoder.ts";
import { aborted } from "../../runtime/lifecycle.ts";
import { buffersOf, type ThreadMessage } from "./thread-message.ts";

/** Several times what the largest file that a Secret takes needs. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 } as const;

/** Between two looks at how much a thread has had of a processor, at least (milliseconds). */
const LEAST_PAUSE_MS = 50;

/** A thread that gets less than a tenth of a processor says nothing of its task: that is given up, to be tried again. */
const MOST_WAITS = 10;

/** Beside this file; compiled, beside the program. */
function programUrl(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./thread.ts" : "./decoding-thread.js", import.meta.url);
}

type Answer = Extract<ThreadMessage, { readonly kind: "answer" }>;
type Ended = Extract<Decoded["outcome"], { readonly kind: "ended" }>;

/** One thread, for one task after the other. One that was ended is of no use any more. */
export class DecodingThread {
  readonly #clock: Clock;
  readonly #worker = new Worker(programUrl(), { resourceLimits: LIMITS, env: {}, name: "decoding" });
  #isEnded = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    // An idle thread keeps no process alive.
    this.#worker.unref();
    const ended = (): void => {
      this.#isEnded = true;
    };
    // Between two tasks nobody else listens, and an error that nobody listens to ends the process.
    this.#worker.on("exit", ended).on("error", ended);
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Hands the task's bytes over. Ends the thread where the task takes more than it may, which is `milliseconds` of a processor: in real time a
   * machine that stands still, or has other things to do, would be the task's fault. Rejects where the thread hardly gets any.
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

  /** Ends the thread once it has had so much of a processor, unless the task is finished before. True: it was ended because it gets none. */
  async #endAfter(milliseconds: number, finished: AbortSignal): Promise<boolean> {
    // Of a thread that was not started just now, the tasks before.
    const before = await this.#processorMs(finished);
    let ran = 0;
    let waited = 0;
    while (ran < milliseconds && waited < MOST_WAITS * milliseconds) {
      // What is left takes as long at least. Only the time that was asked for counts, however late the wait ends.
      const pause = Math.max(LEAST_PAUSE_MS, milliseconds - ran);
      await this.#clock.sleep(pause, finished).catch(() => undefined);
      waited += pause;
      ran = Math.max(ran, (await this.#processorMs(finished)) - before);
      if (finished.aborted) return false;
    }
    await this.end();
    return ran < milliseconds;
  }

  /** Milliseconds that the thread has had of a processor, as soon as it can say so; 0 before it runs, when it has ended, or with the task. */
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
      // By its deadline, or at the end of the process.
      const onExit = (): void => settle(() => resolve({ kind: "ended", limit: "time" }));
      worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    });
  }
}
