import { parseArgs } from "node:util";
import { WORLDS, type WorldName } from "../world/sizes.ts";
import type { Job } from "./job.ts";
import { Pool } from "./pool.ts";
import { Totals } from "./totals.ts";

/** Options of `npm run sim`. */
export interface Wanted {
  readonly hours: number;
  readonly seed: number;
  readonly seedHours: number;
  readonly world: WorldName;
  readonly workers: number;
  readonly only: readonly number[] | undefined;
  readonly shrink: number;
  /** Whether to continue with the next seeds after one fails. */
  readonly isKeptGoing: boolean;
  readonly isTwice: boolean;
  readonly isCovered: boolean;
}

export function wantedOf(args: readonly string[]): Wanted {
  const { values } = parseArgs({
    args: [...args],
    options: {
      hours: { type: "string", default: "100" },
      seed: { type: "string", default: "1" },
      "seed-hours": { type: "string", default: "24" },
      world: { type: "string", default: "usual" },
      workers: { type: "string", default: "1" },
      only: { type: "string" },
      shrink: { type: "string", default: "40" },
      "keep-going": { type: "boolean", default: false },
      twice: { type: "boolean", default: false },
      coverage: { type: "boolean", default: false },
    },
  });
  return {
    hours: Number(values.hours),
    seed: Number(values.seed),
    seedHours: Number(values["seed-hours"]),
    world: worldOf(values.world),
    workers: Number(values.workers),
    only: values.only?.split(",").map(Number),
    shrink: Number(values.shrink),
    isKeptGoing: values["keep-going"],
    isTwice: values.twice,
    isCovered: values.coverage,
  };
}

function worldOf(name: string): WorldName {
  if (Object.hasOwn(WORLDS, name)) return name as WorldName;
  throw new Error(`--world ${name} is none of ${Object.keys(WORLDS).join(", ")}`);
}

/** Jobs travel as JSON, which has no infinity. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** Returns consecutive seeds that together take so many hours. */
export function jobsOf({ hours, seed, seedHours, world, only, shrink }: Wanted): readonly Job[] {
  const count = Math.ceil(hours / seedHours);
  return Array.from({ length: count }, (_, index) => ({
    seed: seed + index,
    hours: Math.min(seedHours, hours - index * seedHours),
    world,
    only,
    shrink: only === undefined && shrink > 0 ? { tries: shrink, within: NO_LIMIT } : undefined,
  }));
}

/**
 * Runs the jobs, and stops at the first failure unless `isKeptGoing`. Prints the result of each job and the totals. Returns whether no
 * invariant was violated.
 */
export async function liveThrough(
  jobs: readonly Job[],
  { workers, isKeptGoing }: Pick<Wanted, "workers" | "isKeptGoing">,
): Promise<boolean> {
  const totals = new Totals();
  const pool = new Pool(workers);
  const waiting = [...jobs];
  try {
    await pool.runAll(
      () => waiting.shift(),
      (summary) => {
        totals.add(summary);
        const { seed, hours, faults, digest, story } = summary;
        console.log(`seed ${seed}: ${hours.toFixed(1)} hours, ${faults} faults, trace ${digest}`);
        if (story !== "") console.log(story);
        return isKeptGoing || summary.violations === 0;
      },
    );
  } finally {
    await pool.close();
  }
  console.log(totals.text);
  return totals.violations === 0;
}
