import type { ManagedFieldsEntry, ObjectMeta } from "./kubernetes.ts";

/**
 * When somebody last changed this part of an object, or made the object (Unix milliseconds). A change of its labels, which others write too,
 * does not count. Undefined where nothing tells.
 */
export function changedAt(part: "spec" | "status", { managedFields = [], creationTimestamp }: ObjectMeta): number | undefined {
  const writes = managedFields.filter(({ fieldsV1 = {} }) => `f:${part}` in fieldsV1);
  return lastTime([creationTimestamp, ...writes.map(({ time }) => time)]);
}

/** When the manager last changed something; undefined where nobody noted it. */
export function lastWriteOf(entries: readonly ManagedFieldsEntry[], manager: string): number | undefined {
  return lastTime(entries.filter((entry) => entry.manager === manager).map(({ time }) => time));
}

/** The latest of these RFC 3339 times, in Unix milliseconds; undefined where none can be read. */
function lastTime(times: readonly (string | undefined)[]): number | undefined {
  const known = times.map((time) => Date.parse(time ?? "")).filter((time) => !Number.isNaN(time));
  return known.length === 0 ? undefined : Math.max(...known);
}
