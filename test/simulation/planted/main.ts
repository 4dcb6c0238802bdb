/**
 * `npm run sim:planted [-- id …]`: checks that the simulation finds defects. Puts each defect into a copy of `src`, and runs the simulation
 * there seed after seed, at most `--seeds` of `--hours` each. `-- mutants` does the same with mutants. `-- found [id …]` plays the
 * scenarios that the simulation has found, with and without their defect.
 */
import { parseArgs } from "node:util";
import { Controls } from "./control.ts";
import { DEFECTS } from "./defects.ts";
import { makeEdits, type Planted } from "./edits.ts";
import { foundAreRed } from "./found-red.ts";
import { type Hunted, hunt } from "./hunting.ts";
import { huntMutants } from "./mutants/hunt-mutants.ts";
import { copyWorkspace } from "./workspace.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "20" },
    hours: { type: "string", default: "12" },
    "cpu-seconds": { type: "string", default: "3000" },
    mutants: { type: "string", default: "200" },
    "reach-hours": { type: "string", default: "12" },
  },
});

/** Runs seed after seed until one shows the defect. */
async function huntFor(planted: Planted): Promise<Hunted> {
  const workspace = copyWorkspace();
  const { folder } = workspace;
  try {
    makeEdits(folder, planted);
    const first = Number(values.seed);
    const given = { folder, hours: Number(values.hours), world: planted.world, cpuSeconds: Number(values["cpu-seconds"]) };
    let all: Hunted = { kind: "nothing", seeds: [], text: "", cpuSeconds: 0, reached: new Set() };
    while (all.seeds.length < Number(values.seeds)) {
      const seeds = Number(values.seeds) - all.seeds.length;
      const next = await hunt({ ...given, seed: first + all.seeds.length, seeds });
      all = { ...next, seeds: [...all.seeds, ...next.seeds], cpuSeconds: all.cpuSeconds + next.cpuSeconds };
      if (all.kind !== "violation" || (await isProven(planted, all))) return all;
    }
    return { ...all, kind: "nothing", text: "" };
  } finally {
    workspace.remove();
  }
}

function hoursOf({ seeds }: Hunted): string {
  return seeds.reduce((sum, { hours }) => sum + hours, 0).toFixed(1);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)] ?? 0;
}

const controls = new Controls();

/** Whether the last seed shows this defect, and passes without it. */
async function isProven({ world, shownBy }: Planted, { seeds }: Hunted): Promise<boolean> {
  const { seed, violation } = seeds.at(-1) ?? {};
  if (seed === undefined || violation === undefined) return false;
  if (shownBy?.includes(violation.invariant) === false) {
    console.log(`seed ${seed} shows something else: ${violation.invariant}: ${violation.text}`);
    return false;
  }
  const cpuSeconds = Number(values["cpu-seconds"]);
  const problem = await controls.problemOf({ seed, hours: Number(values.hours), world, cpuSeconds });
  if (problem !== undefined) console.log(`seed ${seed} fails without any defect: ${problem}`);
  return problem === undefined;
}

async function huntDefects(wanted: readonly Planted[]): Promise<boolean> {
  const seedsOfFound: number[] = [];
  for (const planted of wanted) {
    const hunted = await huntFor(planted);
    const cost = `${hunted.seeds.length} seeds, ${hoursOf(hunted)} simulated hours, ${hunted.cpuSeconds.toFixed(0)} s of CPU time`;
    const isFound = hunted.kind === "violation";
    if (isFound) seedsOfFound.push(hunted.seeds.length);
    console.log(`${isFound ? "found    " : "NOT FOUND"} ${planted.id.padEnd(4)} ${cost}: ${planted.what}`);
    if (hunted.text !== "") console.log(`               ${hunted.kind}: ${hunted.text.slice(0, 240)}`);
  }
  console.log(`${seedsOfFound.length}/${wanted.length} planted defects found, median seeds ${median(seedsOfFound)}`);
  return seedsOfFound.length === wanted.length;
}

if (positionals[0] === "mutants") {
  const [mutants, seeds, hours] = [Number(values.mutants), Number(values.seeds), Number(values.hours)];
  const isDone = await huntMutants({
    mutants,
    seeds,
    hours,
    cpuSeconds: Number(values["cpu-seconds"]),
    reachHours: Number(values["reach-hours"]),
  });
  process.exit(isDone ? 0 : 1);
}
if (positionals[0] === "found") process.exit(foundAreRed(positionals.slice(1)) ? 0 : 1);
const unknown = positionals.filter((id) => DEFECTS.every((planted) => planted.id !== id));
if (unknown.length > 0) {
  console.error(`sim:planted: no such defect: ${unknown.join(", ")}; known: ${DEFECTS.map(({ id }) => id).join(", ")}, found, mutants`);
  process.exit(2);
}
const isDone = await huntDefects(DEFECTS.filter(({ id }) => positionals.length === 0 || positionals.includes(id)));
process.exit(isDone ? 0 : 1);
