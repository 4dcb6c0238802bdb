import { startControlPlane } from "../../support/cluster/control-plane.ts";
import { Comparison } from "./lane.ts";
import { LANES } from "./lanes.ts";
import { PLANTS, type Plant, PlantedServer } from "./plants.ts";
import { RealServer } from "./real.ts";

export interface Planting {
  readonly seed: number;
  readonly log: (line: string) => void;
}

/** Number of batches within which the comparison must find a planted defect. */
const MOST_BATCHES = 10;

/** Plants each defect in turn. Returns whether the comparison finds them all. */
export async function findPlants({ seed, log }: Planting): Promise<boolean> {
  const plane = await startControlPlane({ controllerManager: false });
  const real = new RealServer(plane);
  try {
    let found = 0;
    for (const [index, plant] of PLANTS.entries()) {
      if (await isPlantFound(plant, { real, seed: seed + index * MOST_BATCHES, log })) found++;
    }
    log(`${found} of ${PLANTS.length} planted differences found`);
    return found === PLANTS.length;
  } finally {
    await real.stop();
    await plane.stop();
  }
}

export interface PlantSearch extends Planting {
  readonly real: RealServer;
}

export async function isPlantFound(plant: Plant, { real, seed, log }: PlantSearch): Promise<boolean> {
  const lines: string[] = [];
  const comparison = new Comparison(real, { log: (line) => lines.push(line), prefix: `plant${seed}-` });
  await comparison.run(LANES.random({ seed, batches: MOST_BATCHES, length: 80 }), {
    wrap: (server) => new PlantedServer(server, plant),
    mostDifferences: 1,
    isShrunk: false,
  });
  const { compared, unexplained } = comparison.outcome;
  const found = unexplained.find((difference) => difference.found.some(({ kind }) => kind === plant.kind));
  log(found === undefined ? `NOT FOUND in ${compared} operations: ${plant.what}` : `found as a difference of ${plant.kind}: ${plant.what}`);
  for (const line of found === undefined ? lines : []) log(line);
  return found !== undefined;
}
