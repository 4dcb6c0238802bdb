/** Hunts for mutants, two at a time, and prints the survivors. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Controls } from "../control.ts";
import { type Hunted, hunt } from "../hunting.ts";
import { copyWorkspace, ROOT } from "../workspace.ts";
import { describeMutant, drawMutants, type Mutant, mutated } from "./draw.ts";
import { keepResult, type Result, readResults, sameMutant, stateOf } from "./results.ts";
import { compiled, reachedMutants } from "./sound.ts";
import { whyItSurvives } from "./survivors.ts";

export interface Bounds {
  /** Number of mutants to hunt for. */
  readonly mutants: number;
  /** Maximum number of seeds for each mutant. */
  readonly seeds: number;
  /** Simulated hours of each seed. */
  readonly hours: number;
  /** CPU time after which a hunt counts as stuck. */
  readonly cpuSeconds: number;
  /** Simulated hours in which the code of a mutant has to run once. */
  readonly reachHours: number;
}

/** Mutants to compile at a time. The compiler rejects some of them. */
const TRIED_AT_A_TIME = 50;

/** Returns the first mutants of the draw that the compiler accepts and whose code runs. */
async function soundMutants({ mutants: wanted, reachHours }: Bounds): Promise<readonly Mutant[]> {
  const drawn = await drawMutants();
  const reached = await reachedMutants(drawn, reachHours);
  const run = drawn.mutants.filter(({ id }) => reached.has(id));
  console.log(`${drawn.mutants.length} mutants, of which the simulation runs ${run.length} in ${reachHours} simulated hours`);
  const sound: Mutant[] = [];
  let tried = 0;
  for (; sound.length < wanted && tried < run.length; tried += TRIED_AT_A_TIME) {
    const some = run.slice(tried, tried + TRIED_AT_A_TIME);
    const accepted = await compiled(some);
    sound.push(...some.filter((mutant) => accepted.has(mutant)));
  }
  console.log(`${sound.length} of the first ${Math.min(tried, run.length)} of them pass the compiler`);
  return sound.slice(0, wanted);
}

async function huntFor(mutant: Mutant, { seeds, hours, cpuSeconds }: Bounds): Promise<Hunted> {
  const workspace = copyWorkspace();
  try {
    const text = readFileSync(path.join(ROOT, mutant.file), "utf8");
    writeFileSync(path.join(workspace.folder, mutant.file), mutated(text, mutant));
    return await hunt({ folder: workspace.folder, seed: 1, seeds, hours, cpuSeconds });
  } finally {
    workspace.remove();
  }
}

function resultOf(state: string, { file, operator, from, to }: Mutant, { kind, text, seeds, cpuSeconds }: Hunted): Result {
  const hours = seeds.reduce((sum, seed) => sum + seed.hours, 0);
  return { state, mutant: { file, operator, from, to }, kind, text: text.slice(0, 300), seeds: seeds.length, hours, cpuSeconds };
}

/**
 * Returns the last result for a mutant. A found mutant stays found. A survivor counts only for the state of the sources in which it
 * survived.
 */
function knownResult(mutant: Mutant, state: string): Result | undefined {
  return readResults().findLast((result) => sameMutant(result.mutant, mutant) && (result.kind !== "nothing" || result.state === state));
}

const LANES = 2;

/** Throws if a seed fails without a mutant, because such a seed would find every mutant. */
async function assertSeedsHold({ seeds, hours, cpuSeconds }: Bounds): Promise<void> {
  const controls = new Controls();
  for (let seed = 1; seed <= seeds; seed += 1) {
    const problem = await controls.problemOf({ seed, hours, world: "small", cpuSeconds });
    if (problem !== undefined) throw new Error(`seed ${seed} fails without any mutant: ${problem}`);
  }
}

export async function huntMutants(bounds: Bounds): Promise<boolean> {
  const state = stateOf();
  await assertSeedsHold(bounds);
  const mutants = await soundMutants(bounds);
  const results = new Map<Mutant, Result>();
  const waiting = [...mutants];
  const lane = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const known = knownResult(mutant, state);
      const result = known ?? resultOf(state, mutant, await huntFor(mutant, bounds));
      if (known === undefined) keepResult(result);
      results.set(mutant, result);
      const cost = `${result.seeds} seeds, ${result.hours.toFixed(1)} h, ${result.cpuSeconds.toFixed(0)} s`;
      const how = result.kind === "nothing" ? "survives" : result.kind;
      console.log(`${results.size}/${mutants.length} ${how.padEnd(9)} ${describeMutant(mutant)} (${cost}) ${result.text.slice(0, 120)}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const all = [...results];
  const survivors = all.filter(([, { kind }]) => kind === "nothing");
  const earlier = all.filter(([, result]) => result.kind !== "nothing" && result.state !== state).length;
  for (const [mutant] of survivors) console.log(`survivor: ${describeMutant(mutant)}: ${whyItSurvives(mutant) ?? "NOT EXPLAINED"}`);
  const found = all.length - survivors.length;
  console.log(`${found} of ${all.length} mutants found${earlier === 0 ? "" : `, ${earlier} of them by an earlier state of the sources`}`);
  return survivors.every(([mutant]) => whyItSurvives(mutant) !== undefined);
}
