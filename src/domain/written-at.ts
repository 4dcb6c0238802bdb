import type { ManagedFieldsEntry, ObjectMeta } from "./kubernetes.ts";

/**
 * Returns when a client last changed this part of an object (Unix milliseconds). If no field manager is recorded for it, returns when the
 * object was created. Ignores changes of its labels, which other clients write too. An object that healing restored is younger than its
 * parts, whose field managers and times it restores. Undefined if unknown.
 */
export function changedAt(part: "spec" | "status", { managedFields = [], creationTimestamp }: ObjectMeta): number | undefined {
  const writes = managedFields.filter(({ fieldsV1 = {} }) => `f:${part}` in fieldsV1);
  return lastTime(writes.map(({ time }) => time)) ?? lastTime([creationTimestamp]);
}

/** Returns when the manager last made a change; undefined if no entry contains a time. */
export function lastWriteOf(entries: readonly ManagedFieldsEntry[], manager: string): number | undefined {
  return lastTime(entries.filter((entry) => entry.manager === manager).map(({ time }) => time));
}

/** Returns an RFC 3339 time in Unix milliseconds; undefined if it is not valid. */
export function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? undefined : time;
}

/** Returns the latest of these RFC 3339 times in Unix milliseconds; undefined if none is valid. */
function lastTime(times: readonly (string | undefined)[]): number | undefined {
  const known = times.flatMap((time) => timeOf(time) ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
}
