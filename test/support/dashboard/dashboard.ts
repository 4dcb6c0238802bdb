import { spawn } from "node:child_process";
import path from "node:path";
import { baseEnvironment } from "../processes/base-environment.ts";
import { startProcess } from "../processes/process.ts";
import { program } from "../processes/program.ts";
import { eventually } from "../time/eventually.ts";

export interface Dashboard {
  /** Address with the token, and a slash at its end. */
  readonly url: string;
  readonly pid: number;
  /** Returns all output so far. */
  output(): { readonly stdout: string; readonly stderr: string };
  /** Sends the signal of Ctrl-C. Resolves with the exit code. */
  interrupt(): Promise<number>;
  /** Sends SIGTERM. */
  stop(): Promise<number>;
}

/** Runs the command like a user, and waits for its address. `nodeFlags` are Node's options before the program. */
export async function startDashboard(
  kubeconfig: string,
  args: readonly string[] = [],
  nodeFlags: readonly string[] = [],
): Promise<Dashboard> {
  const env = { ...baseEnvironment(), HOME: path.join(import.meta.dirname, "no-such-home"), KUBECONFIG: kubeconfig };
  const child = spawn(process.execPath, [...nodeFlags, program(), "dashboard", ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const running = startProcess(child, "dashboard");
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const url = await eventually(
    () => {
      if (child.exitCode !== null) throw new Error(`the dashboard ended: ${stderr}`);
      return /^http:\/\/\S+\/$/m.exec(stdout)?.[0];
    },
    { what: "the dashboard's address", within: 60_000 },
  );
  return {
    url,
    pid: child.pid ?? 0,
    output: () => ({ stdout, stderr }),
    interrupt: () => {
      child.kill("SIGINT");
      return running.exited;
    },
    stop: () => running.stop(),
  };
}
