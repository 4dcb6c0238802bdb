/** The same seeds on the sources as they are: what goes wrong there as well shows no planted defect. */
import type { WorldName } from "../world/sizes.ts";
import { hunt } from "./hunting.ts";
import { copyWorkspace } from "./workspace.ts";

export interface Run {
  readonly seed: number;
  readonly hours: number;
  readonly world: WorldName | undefined;
  readonly cpuSeconds: number;
}

/** Each seed is run once, however many ask for it. */
export class Controls {
  readonly #runs = new Map<string, Promise<string | undefined>>();

  /** What is wrong with the seed; undefined: nothing. */
  problemOf(run: Run): Promise<string | undefined> {
    const key = JSON.stringify([run.seed, run.hours, run.world ?? "small"]);
    const known = this.#runs.get(key) ?? play(run);
    this.#runs.set(key, known);
    return known;
  }
}

async function play(run: Run): Promise<string | undefined> {
  const workspace = copyWorkspace();
  try {
    const { kind, text } = await hunt({ ...run, folder: workspace.folder, seeds: 1 });
    return kind === "nothing" ? undefined : `${kind}: ${text}`;
  } finally {
    workspace.remove();
  }
}
