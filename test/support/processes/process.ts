import type { ChildProcess } from "node:child_process";

/** A child process that a test started, and that must not outlive the test. */
export interface RunningProcess {
  readonly name: string;
  readonly child: ChildProcess;
  /** Resolves with the exit code, or 128 if a signal ended the process, for which Node reports a null code. */
  readonly exited: Promise<number>;
  /** Sends SIGTERM, then SIGKILL after the grace (milliseconds, default 10,000). */
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

/** Ends the child if the test's process exits. All children share one listener, because Node warns about a leak for more than ten. */
async function endWithUs(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (running.size === 0) process.once("exit", killAll);
  running.add(child);
  await exited;
  running.delete(child);
  if (running.size === 0) process.removeListener("exit", killAll);
}
