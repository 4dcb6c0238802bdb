/** Selects the mutants that are worth a hunt: the compiler accepts them, and the simulation runs their code. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { hunt } from "../hunting.ts";
import { copyWorkspace, ROOT, type Workspace } from "../workspace.ts";
import { type Drawn, type Mutant, mutated } from "./draw.ts";

/** Returns the ids of mutants whose code runs in so many simulated hours of the unchanged worker. */
export async function reachedMutants({ instrumented }: Drawn, hours: number): Promise<ReadonlySet<string>> {
  const workspace = copyWorkspace();
  try {
    for (const { file, content } of instrumented) writeFileSync(path.join(workspace.folder, file), content);
    const { kind, text, reached } = await hunt({ folder: workspace.folder, seed: 1, seeds: 1, hours, cpuSeconds: 3_600 });
    if (kind !== "nothing") throw new Error(`the unchanged worker does not pass the simulation: ${kind} ${text}`);
    return reached;
  } finally {
    workspace.remove();
  }
}

/** Returns the files in which the compiler finds errors. */
async function faultyFiles({ folder }: Workspace): Promise<ReadonlySet<string>> {
  const child = spawn(path.join(ROOT, "node_modules/.bin/tsc"), ["--noEmit", "-p", "."], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
  });
  await new Promise((resolve) => {
    child.on("close", resolve);
  });
  return new Set([...output.matchAll(/^(\S+?)\(\d+,\d+\): error/gm)].map(([, file = ""]) => file));
}

/**
 * Returns the mutants that the compiler accepts. Compiles many at a time, at most one for each file. If a file without a mutant has an
 * error, splits the batch in halves, down to single mutants.
 */
export async function compiled(mutants: readonly Mutant[]): Promise<ReadonlySet<Mutant>> {
  const workspace = copyWorkspace();
  const config = path.join(workspace.folder, "tsconfig.json");
  writeFileSync(config, readFileSync(config, "utf8").replace(/"include": .*/, `"include": ["src"]`));
  const judge = async (batch: readonly Mutant[]): Promise<readonly Mutant[]> => {
    const place = ({ file }: Mutant): string => path.join(workspace.folder, file);
    const original = ({ file }: Mutant): string => readFileSync(path.join(ROOT, file), "utf8");
    for (const mutant of batch) writeFileSync(place(mutant), mutated(original(mutant), mutant));
    const faulty = await faultyFiles(workspace);
    for (const mutant of batch) writeFileSync(place(mutant), original(mutant));
    const isElsewhere = [...faulty].some((file) => batch.every((mutant) => mutant.file !== file));
    if (!isElsewhere) return batch.filter(({ file }) => !faulty.has(file));
    if (batch.length === 1) return [];
    const half = Math.ceil(batch.length / 2);
    return [...(await judge(batch.slice(0, half))), ...(await judge(batch.slice(half)))];
  };
  try {
    const accepted = new Set<Mutant>();
    for (let left = mutants; left.length > 0; ) {
      const batch = left.filter(({ file }, index) => left.findIndex((other) => other.file === file) === index);
      for (const mutant of await judge(batch)) accepted.add(mutant);
      left = left.filter((mutant) => !batch.includes(mutant));
    }
    return accepted;
  } finally {
    workspace.remove();
  }
}
