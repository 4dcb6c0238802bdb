/** Runs the simulation on changed sources as a child process, and returns the result and its cost. */
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Violation } from "../invariants/invariant.ts";
import { cpuSecondsOf } from "../runs/cpu-time.ts";
import type { WorldName } from "../world/sizes.ts";

/** One seed of a hunt. */
export interface Seed {
  readonly seed: number;
  /** Simulated hours. */
  readonly hours: number;
  readonly faults: number;
  readonly violation: Violation | undefined;
}

/** Ids of the mutants whose instrumented code ran. */
export interface Reached {
  readonly reached: readonly string[];
}

export interface HuntOptions {
  /** Folder of the copy. */
  readonly folder: string;
  /** First seed. */
  readonly seed: number;
  /** Maximum number of seeds. */
  readonly seeds: number;
  /** Simulated hours of each seed. */
  readonly hours: number;
  readonly world?: WorldName | undefined;
  /** Limit of CPU time. A process that reaches it is in a loop or makes no progress, and is killed. */
  readonly cpuSeconds: number;
}

export interface Hunted {
  /** `violation`: an invariant was violated. `crash`: the simulated process ended the simulation. `stuck`: the simulation did not end. */
  readonly kind: "violation" | "crash" | "stuck" | "nothing";
  readonly seeds: readonly Seed[];
  /** The violated invariant and its message, or the error of a crash. */
  readonly text: string;
  readonly cpuSeconds: number;
  /** Empty if the sources are not instrumented. */
  readonly reached: ReadonlySet<string>;
}

const LOOK_EVERY_MS = 1_000;

export async function hunt({ folder, seed, seeds, hours, world = "small", cpuSeconds }: HuntOptions): Promise<Hunted> {
  const script = path.join(folder, "test/simulation/planted/hunt.ts");
  const child = spawn(process.execPath, [script, `--seed=${seed}`, `--seeds=${seeds}`, `--hours=${hours}`, `--world=${world}`], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const done: Seed[] = [];
  let reached: ReadonlySet<string> = new Set();
  let errors = "";
  let used = 0;
  let isStuck = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (!line.startsWith("{")) return;
    const said = JSON.parse(line) as Seed | Reached;
    if ("reached" in said) reached = new Set(said.reached);
    else done.push(said);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors = `${errors}${chunk.toString("utf8")}`.slice(-4_000);
  });
  const watch = setInterval(() => {
    used = cpuSecondsOf(child.pid) ?? used;
    if (used <= cpuSeconds) return;
    isStuck = true;
    child.kill("SIGKILL");
  }, LOOK_EVERY_MS);
  const code = await new Promise<number | null>((resolve) => {
    child.on("close", resolve);
  });
  clearInterval(watch);
  const found = done.find(({ violation }) => violation !== undefined)?.violation;
  const rest = { seeds: done, cpuSeconds: used, reached };
  if (found !== undefined) return { kind: "violation", text: `${found.invariant}: ${found.text}`, ...rest };
  if (isStuck) return { kind: "stuck", text: `no end after ${used.toFixed(0)} s of CPU time`, ...rest };
  if (code !== 0) return { kind: "crash", text: crashOf(errors), ...rest };
  return { kind: "nothing", text: "", ...rest };
}

function crashOf(errors: string): string {
  const lines = errors.split("\n").map((line) => line.trim());
  return lines.find((line) => /^\w*(Error|Exception)\b/.test(line)) ?? lines.findLast((line) => line !== "") ?? "no word";
}
