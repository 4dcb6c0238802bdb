import { setTimeout as pause } from "node:timers/promises";
import { componentsOf } from "../../../src/domain/healing/components.ts";
import { SETTLING_MS } from "../../../src/domain/healing/deletion.ts";
import { INJECTOR_NAMESPACE } from "../../e2e/support/install.ts";
import { presentComponents } from "../../support/component-damage/cluster.ts";
import { eventually } from "../../support/time/eventually.ts";
import type { InstallWorld } from "./install-world.ts";

const PACE_MS = 400;

export interface Comebacks {
  /** Resolves when all of the install is gone, and has been for longer than healing waits. */
  afterHealingWouldHaveActed(): Promise<void>;
}

export interface WatchedWork<T> {
  readonly result: T;
  /** Components that were seen to go. */
  readonly gone: number;
  /** Which of them were there again later. */
  readonly back: readonly string[];
}

/** Looks at every component of the install that healing brings back while `work` lasts. */
export async function watchingComebacks<T>(world: InstallWorld, work: (comebacks: Comebacks) => Promise<T>): Promise<WatchedWork<T>> {
  const state = { seen: new Set<string>(), gone: new Set<string>(), back: new Set<string>(), present: Number.POSITIVE_INFINITY };
  const working = { isDone: false };
  const looking = (async () => {
    while (!working.isDone) {
      // A connection may go with a pod of the node: only one answer after the other counts.
      await eventually(() => look(world, state).then(() => true), { within: 30_000, every: PACE_MS, what: "a look at the components" });
      await pause(PACE_MS);
    }
  })();
  // Told at the end: until then the work goes on.
  looking.catch(() => undefined);
  try {
    const result = await work({
      afterHealingWouldHaveActed: async () => {
        await eventually(() => state.present === 0, {
          within: 60_000,
          every: PACE_MS,
          what: `the end of all components (${state.back.size} came back)`,
        });
        await pause(SETTLING_MS + 3_000);
      },
    });
    return { result, gone: state.gone.size, back: [...state.back] };
  } finally {
    working.isDone = true;
    await looking;
  }
}

interface Looks {
  readonly seen: Set<string>;
  readonly gone: Set<string>;
  readonly back: Set<string>;
  present: number;
}

async function look({ access }: InstallWorld, state: Looks): Promise<void> {
  const components = componentsOf(INJECTOR_NAMESPACE).filter(({ treatment }) => treatment === "healed");
  const present = new Set((await presentComponents(access.client, components)).map(({ id }) => id));
  state.present = present.size;
  for (const { id } of components) {
    if (!present.has(id)) {
      if (state.seen.has(id)) state.gone.add(id);
    } else if (state.gone.has(id)) state.back.add(id);
    else state.seen.add(id);
  }
}
