/** Changes of the number of shards by platform engineers. */
import { MINUTE } from "../faults/fault.ts";
import type { World } from "../world/world.ts";
import type { OperationKind } from "./operation.ts";

/** Time between the restarts of two pods of a rollout (milliseconds). */
const APART_MS = MINUTE;

/** Stops pod after pod, as a rollout of the Deployment does, so that workers with both numbers run for a while. */
function rollOut({ replicas, scheduler }: World): void {
  for (const [index, replica] of replicas.entries()) scheduler.schedule(1_000 + index * APART_MS, () => replica.terminate());
}

export const shardOperations: readonly OperationKind[] = [
  {
    name: "change the number of shards",
    weight: 0.5,
    act: (world, random) => {
      const { shards } = world;
      if (shards.most < 2) return undefined;
      const others = Array.from({ length: shards.most }, (_, index) => index + 1).filter((count) => count !== shards.count);
      shards.count = random.pick(others);
      shards.changedAt = world.scheduler.now;
      rollOut(world);
      return `the worker has ${shards.count} shards from now on, pod by pod`;
    },
  },
];
