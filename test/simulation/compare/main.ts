import { parseArgs } from "node:util";
import { compareAll, LANE_NAMES, type Sizes } from "./compare.ts";
import { findPlants } from "./find-plants.ts";

const USAGE = `npm run sim:compare -- [--seed N] [--operations N] [--lane NAME] [--plant]

Runs random operations on a real API server and on the simulated one, and compares what they answer.

  --seed N        what is drawn; default: by the time
  --operations N  how many at least; default 20000
  --lane NAME     only ${LANE_NAMES.join(", ")}
  --plant         plants a difference of each kind in the simulated server, and fails where one is not found`;

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    operations: { type: "string", default: "20000" },
    lane: { type: "string" },
    plant: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function count(name: "seed" | "operations", text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} takes a whole number from 1 on, and not ${JSON.stringify(text)}`);
  return value;
}

const log = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function main(): Promise<boolean> {
  if (values.help) {
    log(USAGE);
    return true;
  }
  const seed = values.seed === undefined ? (Date.now() % 1_000_000_000) + 1 : count("seed", values.seed);
  log(`seed ${seed}: run again with --seed ${seed}`);
  if (values.plant) return findPlants({ seed, log });
  if (values.lane !== undefined && !LANE_NAMES.includes(values.lane))
    throw new Error(`--lane takes one of ${LANE_NAMES.join(", ")}, and not ${JSON.stringify(values.lane)}`);
  const sizes: Sizes = { seed, operations: count("operations", values.operations), lane: values.lane };
  return compareAll(sizes, log);
}

process.exitCode = (await main()) ? 0 : 1;
