import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { cpuSecondsOf } from "./cpu-time.ts";
import type { Job, Summary } from "./job.ts";

const WORKER = path.join(import.meta.dirname, "worker.ts");

/**
 * Most objects of the simulation live only briefly: the flags give young objects more room, and use no threads for garbage collection,
 * which would compete with the other processes.
 */
const NODE_FLAGS = ["--no-warnings", "--min-semi-space-size=64", "--max-semi-space-size=128", "--single-threaded-gc"];

/** Limits of a seed. A seed that exceeds one of them has failed, because its world can be in a loop or make no progress. */
export interface Most {
  /** Limit of CPU time, so that a seed does not fail only because the machine is busy. */
  readonly cpuSeconds: number;
  readonly seconds: number;
}

const LOOK_EVERY_MS = 500;

/** Processes that each run one simulation at a time. */
export class Pool {
  readonly #children: ChildProcess[];
  readonly #most: Most | undefined;

  constructor(count: number, most?: Most) {
    this.#children = Array.from({ length: count }, () => fork(WORKER, { execArgv: NODE_FLAGS }));
    this.#most = most;
  }

  /** Runs the jobs from `next` until it returns undefined, or until `onDone` returns false. */
  async runAll(next: () => Job | undefined, onDone: (summary: Summary) => boolean): Promise<void> {
    let isWanted = true;
    await Promise.all(
      this.#children.map(async (child) => {
        for (let job = next(); job !== undefined && isWanted; job = next()) {
          if (!onDone(await this.#runIn(child, job))) isWanted = false;
        }
      }),
    );
  }

  async run(job: Job): Promise<Summary> {
    const [child] = this.#children;
    if (child === undefined) throw new Error("a pool without processes");
    return this.#runIn(child, job);
  }

  /** Lets the processes end by themselves, so that they can write their final output. */
  async close(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exit = once(child, "exit");
        child.disconnect();
        await exit;
      }),
    );
  }

  async #runIn(child: ChildProcess, job: Job): Promise<Summary> {
    const timer = this.#most === undefined ? undefined : endedPast(this.#most, child);
    try {
      return await runIn(child, job);
    } finally {
      clearInterval(timer);
    }
  }
}

function endedPast({ cpuSeconds, seconds }: Most, child: ChildProcess): NodeJS.Timeout {
  const began = performance.now();
  const before = cpuSecondsOf(child.pid) ?? 0;
  return setInterval(() => {
    const used = (cpuSecondsOf(child.pid) ?? before) - before;
    if (used > cpuSeconds || performance.now() - began > seconds * 1_000) child.kill("SIGKILL");
  }, LOOK_EVERY_MS);
}

async function runIn(child: ChildProcess, job: Job): Promise<Summary> {
  if (child.exitCode !== null || child.signalCode !== null) throw new Error("a process of the simulation has ended");
  const over = new AbortController();
  try {
    const answer = once(child, "message", { signal: over.signal }).then(([summary]) => summary as Summary); // The worker sends only this type.
    const exit = once(child, "exit", { signal: over.signal }).then(([code, signal]) => {
      throw new Error(`seed ${job.seed}: the process of the simulation ended (${code ?? signal})`);
    });
    child.send(job);
    return await Promise.race([answer, exit]);
  } finally {
    over.abort();
  }
}
