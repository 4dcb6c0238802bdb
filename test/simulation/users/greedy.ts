/** Actions of a tenant that requests more objects than all others together. */

import { writeClass } from "../world/authors.ts";
import { drawClass } from "../world/classes.ts";
import { GREEDY } from "../world/greedy.ts";
import type { OperationKind } from "./operation.ts";

const CLASSES = "/apis/secrets-store.csi.x-k8s.io/v1";
const MERGE_PATCH = "application/merge-patch+json";

/** Milliseconds until a moment within the flood of requests. */
const AMID_THE_FLOOD = [200, 4_000] as const;

export const greedyOperations: readonly OperationKind[] = [
  {
    name: "ask for everything while a neighbour writes a class",
    weight: 0.5,
    act: (world, random) => {
      const greedy = world.teams.find(({ namespace }) => namespace === GREEDY);
      const victim = world.teams.find(({ namespace, vault }) => namespace !== GREEDY && vault.name === greedy?.vault.name);
      if (greedy === undefined || victim === undefined) return undefined;
      for (const name of greedy.classes.keys()) {
        const where = `${CLASSES}/namespaces/${GREEDY}/secretproviderclasses/${name}`;
        const body = { metadata: { annotations: { "keyvault-injector.dev/refresh": `${random.below(1e9)}` } } };
        world.cluster.request("PATCH", where, body, { contentType: MERGE_PATCH, user: "author" });
      }
      const name = `amid-${random.below(4)}`;
      const wanted = drawClass(random, { namespace: victim.namespace, name, vault: victim.vault });
      world.scheduler.schedule(random.between(...AMID_THE_FLOOD), () => {
        writeClass(world.cluster, victim, wanted);
      });
      return `${GREEDY} asks for everything anew, and ${victim.namespace}/${name} is written`;
    },
  },
];
