import type { ManagedFieldsEntry } from "../kubernetes.ts";

type Fields = ManagedFieldsEntry["fieldsV1"];

/**
 * Owners of a class's fields after its spec was completed from a snapshot: of the spec, whom the snapshot names, for the
 * spec is the snapshot's again; of everything else, whom the live class names, for that may have changed since.
 */
export function ownersAfterRepair(
  snapshot: readonly ManagedFieldsEntry[],
  live: readonly ManagedFieldsEntry[],
): readonly ManagedFieldsEntry[] {
  const kept = live.map((entry) => withSpec(entry, snapshot.find((candidate) => isSameOwner(candidate, entry))?.fieldsV1?.["f:spec"]));
  // The API server forgets an owner when the last of its fields is cut.
  const forgotten = snapshot.filter((entry) => !live.some((candidate) => isSameOwner(candidate, entry)));
  const returned = forgotten.map((entry) => ({ ...entry, fieldsV1: onlySpec(entry.fieldsV1) }));
  return [...kept, ...returned].filter(({ fieldsV1 }) => Object.keys(fieldsV1 ?? {}).length > 0);
}

function isSameOwner(a: ManagedFieldsEntry, b: ManagedFieldsEntry): boolean {
  return a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource;
}

function withSpec(entry: ManagedFieldsEntry, spec: unknown): ManagedFieldsEntry {
  return spec === undefined ? entry : { ...entry, fieldsV1: { ...entry.fieldsV1, "f:spec": spec } };
}

function onlySpec(fields: Fields): NonNullable<Fields> {
  const spec = fields?.["f:spec"];
  return spec === undefined ? {} : { "f:spec": spec };
}
