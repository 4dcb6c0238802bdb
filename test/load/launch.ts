import { spawn } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { request } from "node:http";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { ControlPlane } from "../support/cluster/control-plane.ts";
import { type RunningProcess, startProcess } from "../support/processes/process.ts";

const START_MS = 60_000;

export interface Launch {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether the program is ready. */
  readonly isUp: () => Promise<boolean>;
}

export interface Launched {
  readonly pid: number;
  /** All its processes, if it has several. */
  readonly pids?: readonly number[];
  /** Time from the start of the process to its readiness, in milliseconds. */
  readonly startMs: number;
  /** Returns the end of its output. */
  said(): string;
  /** Resolves with its exit code, for whatever reason it ends. */
  readonly ended: Promise<number>;
  /** Stops the program. Resolves with the exit code. */
  stop(): Promise<number>;
}

/**
 * Starts a program next to the control plane. Its output goes to a file in the control plane's folder. Throws with the end of the output if
 * the program does not become ready.
 */
export async function launch(plane: ControlPlane, { name, command, args, environment = {}, isUp }: Launch): Promise<Launched> {
  const log = path.join(plane.directory, `${name}.log`);
  const file = openSync(log, "a");
  const said = (): string => readFileSync(log, "utf8").slice(-4_000);
  const started = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", file, file], env: { PATH: process.env["PATH"] ?? "", ...environment } });
  const running: RunningProcess = startProcess(child, name);
  while (!(await isUp())) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() - started > START_MS) {
      throw new Error(`${name} did not start\n${said()}`);
    }
    await sleep(2);
  }
  return { pid: child.pid ?? 0, startMs: performance.now() - started, said, ended: running.exited, stop: () => running.stop(30_000) };
}

/** Whether the local port answers 200 at this path. */
export function isReady(port: number, where: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = request({ host: "127.0.0.1", port, path: where, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asking.once("error", () => resolve(false));
    asking.end();
  });
}
