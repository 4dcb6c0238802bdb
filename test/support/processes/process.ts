import type { ChildProcess } from "node:child_process";

/** A child process that a test started and must not outlive it. */
export interface RunningProcess {
  readonly name: string;
  readonly child: ChildProcess;
  /** Resolves with the exit code (128 + signal number is reported as 128 by Node's null code). */
  readonly exited: Promise<number>;
  /** SIGTERM, then SIGKILL after the grace (milliseconds, default 10,000). */
  stop(grace?: number): Promise<number>;
}

export function startProcess(child: ChildProcess, name: string): RunningProcess {
  const exited = new Promise<number>((resolve) => {
    child.once("exit", (code) => resolve(code ?? 128));
    child.once("error", () => resolve(127));
  });
  void endWithUs(child, exited);
  return {
    name,
    child,
    exited,
    stop: async (grace = 10_000) => {
      if (child.exitCode !== null || child.signalCode !== null) return exited;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), grace);
      try {
        return await exited;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

const running = new Set<ChildProcess>();

function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** A test that dies must not leave servers behind. One listener for all of them: more than ten are a leak to Node. */
async function endWithUs(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (running.size === 0) process.once("exit", killAll);
  running.add(child);
  await exited;
  running.delete(child);
  if (running.size === 0) process.removeListener("exit", killAll);
}
