/** Messages in the event queue that are not events of the vaults. */
import { anyObject } from "../faults/event-queues.ts";
import { drawNoise } from "../queues/noise.ts";
import type { OperationKind } from "./operation.ts";

export const eventOperations: readonly OperationKind[] = [
  {
    name: "put a message into the event queue",
    weight: 2,
    act: (world, random) => {
      const known = anyObject(world, random);
      if (world.events === undefined || known === undefined) return undefined;
      const kind = random.pick(["malformed", "foreign", "hints"] as const);
      world.events.grid.put(drawNoise(kind, known, random));
      return `a message comes into the event queue: ${kind}, about ${known.vault}/${known.object}`;
    },
  },
];
