import type { Batch } from "../batch.ts";
import { randomOperation } from "../generate/operations.ts";
import { PLACES } from "../generate/places.ts";
import { Choices } from "../random.ts";
import { groundOf, namespaceSetup } from "./ground.ts";

/** Random requests to all kinds, with open watches. */
export function randomBatch(seed: number, { group, length }: { readonly group: string; readonly length: number }): Batch {
  const choices = new Choices(seed);
  const serial = `run${seed}`;
  const ground = groundOf(serial, group);
  const { secrets, events, leases, deployments, pods, controllerRevisions } = PLACES;
  const places = [secrets, events, leases, deployments, pods, controllerRevisions, ground.classes, ground.syncs];
  const [namespace] = ground.namespaces;
  return {
    serial,
    setup: namespaceSetup(ground),
    operations: Array.from({ length }, () => randomOperation(choices, ground)),
    watches: [
      ...places.flatMap((place) => [
        { place, namespace },
        { place, namespace, labelSelector: "app=a" },
      ]),
      { place: secrets, namespace, fieldSelector: "metadata.name=one" },
      { place: pods, namespace, fieldSelector: "status.phase!=Succeeded,status.phase!=Failed" },
    ],
    states: ground.namespaces.flatMap((name) => places.map((place) => ({ place, namespace: name }))),
  };
}
