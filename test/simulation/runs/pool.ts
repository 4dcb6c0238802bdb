import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { Job, Summary } from "./job.ts";

const WORKER = path.join(import.meta.dirname, "worker.ts");

/** Young objects die young here: room for them, and no threads to collect them beside the other processes. */
const NODE_FLAGS = ["--no-warnings", "--min-semi-space-size=32", "--max-semi-space-size=64", "--single-threaded-gc"];

/** Processes that run simulations, one at a time each. */
export class Pool {
  readonly #children: ChildProcess[];
  readonly #mostMs: number | undefined;

  /** `mostMs`: milliseconds, after which a seed has failed: a world may be caught in a loop. */
  constructor(count: number, mostMs?: number) {
    this.#children = Array.from({ length: count }, () => fork(WORKER, { execArgv: NODE_FLAGS }));
    this.#mostMs = mostMs;
  }

  /** Runs what `next` gives, until it gives nothing any more or `onDone` returns false. */
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

  /** They end by themselves, so that what they have to write at their end is written. */
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
    const timer = this.#mostMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), this.#mostMs);
    try {
      return await runIn(child, job);
    } finally {
      clearTimeout(timer);
    }
  }
}

async function runIn(child: ChildProcess, job: Job): Promise<Summary> {
  if (child.exitCode !== null || child.signalCode !== null) throw new Error("a process of the simulation has ended");
  const over = new AbortController();
  try {
    const answer = once(child, "message", { signal: over.signal }).then(([summary]) => summary as Summary); // Its own kind of message.
    const exit = once(child, "exit", { signal: over.signal }).then(([code, signal]) => {
      throw new Error(`seed ${job.seed}: the process of the simulation ended (${code ?? signal})`);
    });
    child.send(job);
    return await Promise.race([answer, exit]);
  } finally {
    over.abort();
  }
}
