/** Owners' changes to the times at which their workloads may restart. */
import type { Random } from "../time/random.ts";
import { askForRestart, setPaused, setWindow } from "../world/controls.ts";
import type { SimulatedWorkload } from "../world/workloads.ts";
import type { World } from "../world/world.ts";
import type { OperationKind } from "./operation.ts";

/** Long enough for the restarts of a namespace (minutes). */
const WINDOW_MINUTES = { least: 15, most: 40 };

function anyWorkload({ workloads }: World, random: Random): SimulatedWorkload | undefined {
  const all = workloads.all();
  return all.length === 0 ? undefined : random.pick(all);
}

export const controlOperations: readonly OperationKind[] = [
  {
    name: "give a workload a restart window, or take it away",
    weight: 1,
    act: (world, random) => {
      const found = anyWorkload(world, random);
      if (found === undefined) return undefined;
      const minutes = WINDOW_MINUTES.least + random.below(WINDOW_MINUTES.most - WINDOW_MINUTES.least);
      const window = found.controls.window !== undefined && random.chance(0.5) ? undefined : { minute: random.below(60), minutes };
      if (!setWindow(world.cluster, found, window)) return undefined;
      const when = window === undefined ? "at any time" : `in ${window.minutes} minutes of each hour, from minute ${window.minute} on`;
      return `${found.namespace}/${found.name} may be restarted ${when}`;
    },
  },
  {
    name: "pause restarts of a workload, or resume them",
    weight: 1,
    act: (world, random) => {
      const found = anyWorkload(world, random);
      if (found === undefined) return undefined;
      const isPaused = !found.controls.isPaused;
      const isDone = setPaused(world.cluster, found, isPaused);
      return isDone ? `restarts of ${found.namespace}/${found.name} are ${isPaused ? "paused" : "resumed"}` : undefined;
    },
  },
  {
    name: "set the budget of a workload's pods",
    weight: 1,
    act: (world, random) => {
      const found = anyWorkload(world, random);
      if (found === undefined || world.budgets === undefined) return undefined;
      const most = random.chance(0.3) ? 0 : 1;
      const isDone = world.budgets.set(found.namespace, found.name, most);
      return isDone ? `${most} pods of ${found.namespace}/${found.name} may be unavailable` : undefined;
    },
  },
  {
    name: "ask for a restart now",
    weight: 0.7,
    act: (world, random) => {
      const found = anyWorkload(world, random);
      if (found === undefined) return undefined;
      const isDone = askForRestart(world.cluster, found, `${random.below(1e9)}`);
      return isDone ? `${found.namespace}/${found.name} is to be restarted now` : undefined;
    },
  },
];
