/** Runs the same seeds on the unchanged sources. A seed that fails there as well does not show a planted defect. */
import type { WorldName } from "../world/sizes.ts";
import { hunt } from "./hunting.ts";
import { copyWorkspace } from "./workspace.ts";

export interface Run {
  readonly seed: number;
  readonly hours: number;
  readonly world: WorldName | undefined;
  readonly cpuSeconds: number;
}

/** Runs each seed once, and caches the result. */
export class Controls {
  readonly #runs = new Map<string, Promise<string | undefined>>();

  /** Returns the problem of the seed on the unchanged sources; undefined if there is none. */
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
