import type { ObjectMeta } from "./kubernetes.ts";

/**
 * When somebody last changed what an object's status says, or made the object (Unix milliseconds). A change of its labels, which others write
 * too, does not count. Undefined where nothing tells.
 */
export function statusChangedAt({ managedFields = [], creationTimestamp = "" }: ObjectMeta): number | undefined {
  const writes = managedFields.filter(({ fieldsV1 = {} }) => "f:status" in fieldsV1);
  const times = [creationTimestamp, ...writes.map(({ time = "" }) => time)].map((time) => Date.parse(time));
  const known = times.filter((time) => !Number.isNaN(time));
  return known.length === 0 ? undefined : Math.max(...known);
}
