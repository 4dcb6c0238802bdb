/**
 * Replaces `Worker` of node:worker_threads. The program of a decoding thread runs in this process, and its answer comes after a simulated
 * time.
 */
import { EventEmitter } from "node:events";
import { type DecodingTask, valuesOf } from "../../../src/domain/decoding.ts";
import type { ThreadMessage } from "../../../src/pki/threads/thread-message.ts";
import { activeScheduler, currentMachine } from "../time/context.ts";
import type { Machine } from "../time/machine.ts";

/** Outcome of one task. */
export type ThreadFate =
  /** Milliseconds of CPU time. */
  | { readonly kind: "answers"; readonly after: number }
  /** The task runs until it is ended. `isStarved`: the thread gets no CPU time. */
  | { readonly kind: "hangs"; readonly isStarved?: boolean }
  | { readonly kind: "outOfMemory"; readonly after: number };

export interface ThreadWeather {
  /** Whether the system gives the process a thread. */
  maySpawn: () => boolean;
  fate: () => ThreadFate;
  /** Called when the system refuses a thread, when a thread dies, or when a thread is ended during its task. */
  onTrouble: () => void;
}

let weather: ThreadWeather | undefined;
/** Microseconds of CPU time that the tasks have used, as drawn for them. */
let used = 0;
let taking = 0;

export function useThreads(of: ThreadWeather): void {
  weather = of;
  used = 0;
  answers.clear();
}

/** Replaces `process.threadCpuUsage`. The program calls it before and after a task. */
export function threadCpuUsage(): NodeJS.CpuUsage {
  used += taking;
  return { user: used, system: 0 };
}

/**
 * Answers of earlier tasks in this world. The answer depends only on the task, and three replicas decode each certificate for each of its
 * classes, so the cache saves work. It does not contain errors.
 */
const answers = new Map<string, Extract<ThreadMessage, { kind: "answer" }>>();

function taskKey(task: DecodingTask): string {
  if (task.kind === "objects") return `objects ${task.text}`;
  const said = task.kind === "expressions" ? { ...task, files: [...task.files.keys()] } : { ...task, value: undefined };
  const values = valuesOf(task).map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength).toString("latin1"));
  return JSON.stringify([said, values]);
}

type OnMessage = (task: unknown) => void;
type Transfer = readonly ArrayBuffer[];

/** Replaces `parentPort`: the program of the threads listens here and answers here, for the thread that runs at the moment. */
class SimulatedPort {
  #program: OnMessage | undefined;
  #answer: ThreadMessage | undefined;

  on(_event: "message", program: OnMessage): this {
    this.#program = program;
    return this;
  }

  postMessage(message: unknown, transfer: Transfer): void {
    this.#answer = structuredClone(message, { transfer: [...transfer] }) as ThreadMessage; // The program sends only this type.
  }

  /** Runs one task, and returns its answer. */
  run(task: DecodingTask): ThreadMessage | undefined {
    if (this.#program === undefined) throw new Error("simulation: the program of the threads was not loaded");
    const key = taskKey(task);
    const known = answers.get(key);
    if (known !== undefined) {
      const before = threadCpuUsage().user / 1_000;
      return { ...structuredClone(known), ran: threadCpuUsage().user / 1_000 - before };
    }
    this.#answer = undefined;
    this.#program(task);
    const answer = this.#taken();
    if (answer?.kind === "answer") answers.set(key, structuredClone(answer));
    return answer;
  }

  /** Returns the latest answer of the program. */
  #taken(): ThreadMessage | undefined {
    return this.#answer;
  }
}

export const parentPort = new SimulatedPort();

/** Returns Node's error for a heap that has reached its limit. */
function outOfMemory(): Error {
  return Object.assign(new Error("Worker terminated due to reaching memory limit: JS heap out of memory"), {
    code: "ERR_WORKER_OUT_OF_MEMORY",
  });
}

export class SimulatedWorker extends EventEmitter {
  readonly #machine: Machine | undefined = currentMachine();
  readonly #weather: ThreadWeather;
  #hasEnded = false;
  #hasTask = false;
  /** Simulated time since which the thread has had a processor to itself; undefined if it has none. */
  #runsSince: number | undefined;
  #ranBefore = 0;

  constructor() {
    super();
    if (weather === undefined) throw new Error("simulation: a thread was to be opened before a world had threads");
    this.#weather = weather;
    if (this.#weather.maySpawn()) return;
    this.#weather.onTrouble();
    throw Object.assign(new Error("Worker initialization failure: EAGAIN"), { code: "ERR_WORKER_INIT_FAILED" });
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  postMessage(task: unknown, transfer: Transfer = []): void {
    const taken = structuredClone(task, { transfer: [...transfer] }) as DecodingTask; // The worker sends only tasks to a thread.
    const fate = this.#weather.fate();
    this.#hasTask = true;
    if (fate.kind !== "hangs" || fate.isStarved !== true) this.#runsSince = activeScheduler().now;
    if (fate.kind === "hangs") return;
    this.#later(fate.after, () => {
      this.#hasTask = false;
      this.#ranBefore = this.#ran();
      this.#runsSince = undefined;
      if (fate.kind === "outOfMemory") this.#die();
      else this.#answer(taken, fate.after);
    });
  }

  async cpuUsage(): Promise<NodeJS.CpuUsage> {
    await Promise.resolve();
    if (this.#hasEnded) throw Object.assign(new Error("Worker instance not running"), { code: "ERR_WORKER_NOT_RUNNING" });
    return { user: Math.round(this.#ran() * 1_000), system: 0 };
  }

  /** Returns the used CPU time in milliseconds. */
  #ran(): number {
    return this.#ranBefore + (this.#runsSince === undefined ? 0 : activeScheduler().now - this.#runsSince);
  }

  async terminate(): Promise<number> {
    if (this.#hasTask && !this.#hasEnded) this.#weather.onTrouble();
    await new Promise<void>((resolve) => {
      activeScheduler().schedule(1, resolve, { machine: this.#machine });
    });
    this.#exit();
    return 1;
  }

  #answer(task: DecodingTask, milliseconds: number): void {
    taking = Math.round(milliseconds * 1_000);
    const answer = parentPort.run(task);
    taking = 0;
    this.emit("message", answer);
  }

  #die(): void {
    this.#weather.onTrouble();
    this.emit("error", outOfMemory());
    this.#exit();
  }

  #exit(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.emit("exit", 1);
  }

  #later(milliseconds: number, action: () => void): void {
    const happen = (): void => {
      if (!this.#hasEnded) action();
    };
    activeScheduler().schedule(milliseconds, happen, { machine: this.#machine });
  }
}
