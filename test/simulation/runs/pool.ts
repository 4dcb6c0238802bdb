import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { Job, Summary } from "./job.ts";

const WORKER = path.join(import.meta.dirname, "worker.ts");

/** Young objects die young here: room for them saves a tenth of the time. */
const NODE_FLAGS = ["--no-warnings", "--max-semi-space-size=32"];

/** Processes that run simulations, one at a time each. */
export class Pool {
  readonly #children: ChildProcess[];

  /** `environment`: beside that of this process. */
  constructor(count: number, environment: Readonly<Record<string, string>> = {}) {
    this.#children = Array.from({ length: count }, () => fork(WORKER, { execArgv: NODE_FLAGS, env: { ...process.env, ...environment } }));
  }

  /** Runs what `next` gives, until it gives nothing any more or `onDone` returns false. */
  async runAll(next: () => Job | undefined, onDone: (summary: Summary) => boolean): Promise<void> {
    let isWanted = true;
    await Promise.all(
      this.#children.map(async (child) => {
        for (let job = next(); job !== undefined && isWanted; job = next()) {
          if (!onDone(await runIn(child, job))) isWanted = false;
        }
      }),
    );
  }

  async run(job: Job): Promise<Summary> {
    const [child] = this.#children;
    if (child === undefined) throw new Error("a pool without processes");
    return runIn(child, job);
  }

  /** They end by themselves, so that what they have to write at their end is written. */
  async close(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null) return;
        const exit = once(child, "exit");
        child.disconnect();
        await exit;
      }),
    );
  }
}

async function runIn(child: ChildProcess, job: Job): Promise<Summary> {
  if (child.exitCode !== null) throw new Error("a process of the simulation has ended");
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
