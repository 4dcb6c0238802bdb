/** The result of each mutant, kept outside of version control, so that an interrupted run can continue. */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, globSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Hunted } from "../hunting.ts";
import { ROOT } from "../workspace.ts";
import { type Mutant } from "./draw.ts";

export interface Result {
  /** State of the sources and the simulation. If they change, a survivor is hunted again. */
  readonly state: string;
  readonly mutant: Pick<Mutant, "file" | "operator" | "from" | "to">;
  readonly kind: Hunted["kind"];
  readonly text: string;
  readonly seeds: number;
  readonly hours: number;
  readonly cpuSeconds: number;
}

const FILE = path.join(ROOT, "results", "mutants.jsonl");

/** Returns a hash that changes with each source of the worker and of the simulation. */
export function stateOf(): string {
  const hash = createHash("sha256");
  for (const file of ["src/**/*.ts", "test/simulation/**/*.ts"].flatMap((glob) => globSync(glob, { cwd: ROOT })).sort())
    hash.update(file).update(readFileSync(path.join(ROOT, file)));
  return hash.digest("hex").slice(0, 12);
}

export function sameMutant(one: Result["mutant"], other: Result["mutant"]): boolean {
  return one.file === other.file && one.operator === other.operator && one.from === other.from && one.to === other.to;
}

export function readResults(): readonly Result[] {
  if (!existsSync(FILE)) return [];
  const lines = readFileSync(FILE, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Result);
}

export function keepResult(result: Result): void {
  mkdirSync(path.dirname(FILE), { recursive: true });
  appendFileSync(FILE, `${JSON.stringify(result)}\n`);
}
