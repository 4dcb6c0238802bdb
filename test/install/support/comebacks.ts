import { setTimeout as pause } from "node:timers/promises";
import { componentsOf } from "../../../src/domain/healing/components.ts";
import { SETTLING_MS } from "../../../src/domain/healing/deletion.ts";
import { INJECTOR_NAMESPACE } from "../../e2e/support/install.ts";
import { presentComponents } from "../../support/component-damage/cluster.ts";
import { eventually } from "../../support/time/eventually.ts";
import type { InstallWorld } from "./install-world.ts";

const PACE_MS = 400;

export interface Comebacks {
  /** Resolves after all objects of the install have been gone for longer than healing waits. */
  afterHealingWouldHaveActed(): Promise<void>;
}

export interface WatchedWork<T> {
  readonly result: T;
  /** Number of components that disappeared. */
  readonly gone: number;
  /** Components that appeared again later. */
  readonly back: readonly string[];
}

/** Checks every component that healing restores, as long as `work` runs. */
export async function watchingComebacks<T>(world: InstallWorld, work: (comebacks: Comebacks) => Promise<T>): Promise<WatchedWork<T>> {
  const state = { seen: new Set<string>(), gone: new Set<string>(), back: new Set<string>(), present: Number.POSITIVE_INFINITY };
  const working = { isDone: false };
  const looking = (async () => {
    while (!working.isDone) {
      // A connection may end together with a pod of the node, so that a failed check is repeated.
      await eventually(() => check(world, state).then(() => true), { within: 30_000, every: PACE_MS, what: "a look at the components" });
      await pause(PACE_MS);
    }
  })();
  // Thrown at the end. Until then the work continues.
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

async function check({ access }: InstallWorld, state: Looks): Promise<void> {
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
