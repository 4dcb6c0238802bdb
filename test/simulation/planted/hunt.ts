/**
 * Runs the simulation seed after seed until an invariant is violated. Runs as its own process, in a copy with changed `src`. Prints a line
 * of JSON for each seed: `Seed` of `hunting.ts`. In instrumented sources, also prints the mutants whose code ran.
 */
import "../time/install.ts";
import "../network/install.ts";
import { parseArgs } from "node:util";
import type { WorldName } from "../world/sizes.ts";
import type { Reached, Seed } from "./hunting.ts";

const { simulate } = await import("../simulation.ts");

const { values } = parseArgs({
  options: { seed: { type: "string" }, seeds: { type: "string" }, hours: { type: "string" }, world: { type: "string" } },
});
const first = Number(values.seed ?? 1);
let isFound = false;
for (let seed = first; seed < first + Number(values.seeds ?? 1) && !isFound; seed += 1) {
  const { hours, faults, violations } = await simulate({
    seed,
    hours: Number(values.hours ?? 24),
    world: (values.world ?? "small") as WorldName, // Only `hunting.ts` sets this option.
  });
  isFound = violations.length > 0;
  const line: Seed = { seed, hours, faults, violation: violations[0] };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Hits by mutant id, in code that Stryker instrumented. */
interface Instrumented {
  readonly __stryker__?: { readonly mutantCoverage?: { readonly static: Readonly<Record<string, number>> } };
}

const { __stryker__: instrumented } = globalThis as Instrumented;
if (instrumented !== undefined) {
  const line: Reached = { reached: Object.keys(instrumented.mutantCoverage?.static ?? {}) };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
process.exit(0);
