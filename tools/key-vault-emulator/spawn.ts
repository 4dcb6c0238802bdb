import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { connectEmulator } from "./control/admin-client.ts";
import type { Emulator, EmulatorOptions } from "./emulator.ts";

/** An emulator in a child process of its own. */
export interface SpawnedEmulator extends Emulator {
  readonly pid: number;
  /** Returns all output so far. */
  output(): string;
}

const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 5_000;

/** Starts `main.ts serve` and resolves once it serves. The emulator ends with this process, even if the process is killed. */
export async function spawnEmulator(stateDir: string, options: Omit<EmulatorOptions, "stateDir"> = {}): Promise<SpawnedEmulator> {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, "serve", "--state-dir", stateDir, "--until-stdin-ends", ...flagsOf(options)], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      printed += text;
    });
  }
  await readiness(child, () => printed);
  return {
    ...(await connectEmulator(stateDir)),
    pid: child.pid ?? 0,
    output: () => printed,
    stop: () => stopChild(child),
  };
}

function flagsOf(options: Omit<EmulatorOptions, "stateDir">): readonly string[] {
  const flags = {
    "--port": options.port,
    "--proxy-port": options.proxyPort,
    "--admin-port": options.adminPort,
    "--imds-port": options.imdsPort,
    "--token-lifetime": options.tokenLifetimeSeconds,
  };
  return Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]));
}

/** The emulator prints its first line on stdout after all listeners are up. */
function readiness(child: ChildProcess, printed: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill("SIGKILL");
      reject(new Error(`the Key Vault emulator did not start: ${why}\n${printed()}`));
    };
    const timer = setTimeout(() => fail(`not ready within ${READY_WITHIN_MS} ms`), READY_WITHIN_MS);
    const onExit = (code: number | null): void => {
      clearTimeout(timer);
      fail(`exit code ${code}`);
    };
    child.once("exit", onExit);
    child.stdout?.once("data", () => {
      clearTimeout(timer);
      child.removeListener("exit", onExit);
      resolve();
    });
  });
}

function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGTERM");
  });
}
