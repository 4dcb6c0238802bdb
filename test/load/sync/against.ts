import type { ProductBuild } from "../../support/cluster/built-product.ts";
import { compare, describeComparison, type Round, type Sample } from "../against.ts";
import type { Figures } from "./figures.ts";

export interface Against {
  /** Measures one build on its own control plane. */
  readonly course: (build: ProductBuild) => Promise<Figures>;
  readonly now: ProductBuild;
  readonly before: ProductBuild;
  readonly rounds: number;
}

/** Compares the builds. False if a figure became worse. */
export async function runAgainst({ course, now, before, rounds }: Against): Promise<boolean> {
  const all: Round[] = [];
  for (let index = 0; index < rounds; index += 1) all.push(await runRound(course, { now, before }, index));
  const compared = compare(all);
  console.log(`\n${describeComparison(compared, { before: before.name, rounds })}`);
  return !compared.some(({ isWorse }) => isWorse);
}

type Builds = Pick<Against, "now" | "before">;

/**
 * Runs the builds alternately forwards and backwards, so that a machine that becomes slower or faster during the run favors none of them.
 */
async function runRound(course: Against["course"], { now, before }: Builds, index: number): Promise<Round> {
  if (index % 2 === 0) {
    const [first, old, second] = [await course(now), await course(before), await course(now)];
    return { now: sampleOf(first), before: sampleOf(old), again: sampleOf(second) };
  }
  const [second, old, first] = [await course(now), await course(before), await course(now)];
  return { now: sampleOf(first), before: sampleOf(old), again: sampleOf(second) };
}

function sampleOf({ first, rest, restart, heal, rotation }: Figures): Sample {
  return {
    "first sync, s": first.ms / 1_000,
    "first sync, CPU s": first.cpuSeconds,
    "first sync, vault reads": first.reads,
    "first sync, API writes": first.writes,
    "at rest, CPU s/poll": rest.cpuSeconds,
    "at rest, transactions/poll": rest.transactions,
    "at rest, API writes": rest.writes.total,
    "RSS, MiB": rest.residentMiB,
    "largest RSS, MiB": rest.peakMiB,
    "restart, CPU s": restart.cpuSeconds,
    "restart, vault reads": restart.reads,
    "deleted back, s": heal.ms / 1_000,
    "rotated, median s": rotation.medianMs / 1_000,
    "not arrived": first.awaited - first.arrived + heal.awaited - heal.arrived + rotation.awaited - rotation.arrived,
  };
}
