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
  /** Tells readiness. */
  readonly isUp: () => Promise<boolean>;
}

export interface Launched {
  readonly pid: number;
  /** Of all its processes, where it is several. */
  readonly pids?: readonly number[];
  /** From the start of the process to its readiness, milliseconds. */
  readonly startMs: number;
  /** The end of its output. */
  said(): string;
  /** Resolves with its exit code, whoever ends it. */
  readonly ended: Promise<number>;
  /** Exit code. */
  stop(): Promise<number>;
}

/** A program beside the control plane; its output goes to a file there. Throws with the end of that where it does not become ready. */
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

/** Whether the port of this machine answers 200 there. */
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
