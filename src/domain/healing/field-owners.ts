import type { ManagedFieldsEntry } from "../kubernetes.ts";
import { intersection, isEmptySet } from "./field-sets.ts";
import { isSameOwner } from "./installers.ts";
import { type FieldSet, union } from "./owned-fields.ts";

type Fields = ManagedFieldsEntry["fieldsV1"];

/**
 * Returns the owners of a class's fields after its spec was restored from a snapshot. The owners of the spec come from the snapshot,
 * because the spec is the snapshot's again. The owners of all other fields come from the live class, because those fields may have changed
 * since.
 */
export function ownersAfterRepair(
  snapshot: readonly ManagedFieldsEntry[],
  live: readonly ManagedFieldsEntry[],
): readonly ManagedFieldsEntry[] {
  const kept = live.map((entry) => withSpec(entry, snapshot.find((candidate) => isSameOwner(candidate, entry))?.fieldsV1?.["f:spec"]));
  // The API server forgets an owner when its last field is cut.
  const forgotten = snapshot.filter((entry) => !live.some((candidate) => isSameOwner(candidate, entry)));
  const returned = forgotten.map((entry) => ({ ...entry, fieldsV1: onlySpec(entry.fieldsV1) }));
  return [...kept, ...returned].filter(({ fieldsV1 }) => Object.keys(fieldsV1 ?? {}).length > 0);
}

/** Whether a manager owns fields of a class, except its status. */
export function isOwner(manager: string, entries: readonly ManagedFieldsEntry[] = []): boolean {
  return entries.some((entry) => isOf(manager, entry));
}

/**
 * Returns the owners of a class's fields without a manager that wrote on behalf of others and did not complete the hand-over. The fields
 * that it still owns go to the owners in the snapshot; others may have written the rest since.
 */
export function ownersWithout(
  manager: string,
  { snapshot, live }: { readonly snapshot: readonly ManagedFieldsEntry[]; readonly live: readonly ManagedFieldsEntry[] },
): readonly ManagedFieldsEntry[] {
  const left = live.filter((entry) => isOf(manager, entry)).reduce<FieldSet>((all, { fieldsV1 }) => union(all, fieldsV1 ?? {}), {});
  const others = live.filter((entry) => !isOf(manager, entry));
  const returned = snapshot
    .filter((entry) => !isOf(manager, entry))
    .map((entry) => ({ ...entry, fieldsV1: intersection(entry.fieldsV1 ?? {}, left) }))
    .filter(({ fieldsV1 }) => !isEmptySet(fieldsV1));
  const kept = others.map((entry) => {
    const more = returned.find((candidate) => isSameOwner(candidate, entry));
    return more === undefined ? entry : { ...entry, fieldsV1: union(entry.fieldsV1 ?? {}, more.fieldsV1) };
  });
  return [...kept, ...returned.filter((entry) => !others.some((candidate) => isSameOwner(candidate, entry)))];
}

function isOf(manager: string, entry: ManagedFieldsEntry): boolean {
  return entry.manager === manager && entry.subresource === undefined;
}

function withSpec(entry: ManagedFieldsEntry, spec: unknown): ManagedFieldsEntry {
  return spec === undefined ? entry : { ...entry, fieldsV1: { ...entry.fieldsV1, "f:spec": spec } };
}

function onlySpec(fields: Fields): NonNullable<Fields> {
  const spec = fields?.["f:spec"];
  return spec === undefined ? {} : { "f:spec": spec };
}
