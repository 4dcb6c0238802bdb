import { Worker } from "node:worker_threads";
import type { DecodingTask } from "../../domain/content/decoding.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { Decoded } from "../../domain/ports/decoder.ts";
import type { ThreadMessage } from "./thread-message.ts";

/** Several times what the largest file that a Secret takes needs. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 } as const;

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

  /** Hands the task's bytes over. Ends the thread where the task takes more than it may. */
  async perform(task: DecodingTask, milliseconds: number): Promise<Decoded> {
    const started = this.#clock.now();
    const finished = new AbortController();
    const deadline = this.#clock.sleep(milliseconds, finished.signal).then(
      () => this.end(),
      () => undefined,
    );
    this.#worker.ref();
    try {
      const answered = this.#answer();
      this.#worker.postMessage(task, "value" in task && task.value.buffer instanceof ArrayBuffer ? [task.value.buffer] : []);
      const answer = await answered;
      if (answer.kind === "answer") return { outcome: answer.answer, ran: answer.ran };
      return { outcome: answer, ran: this.#clock.now() - started };
    } finally {
      finished.abort();
      await deadline;
      this.#worker.unref();
    }
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
