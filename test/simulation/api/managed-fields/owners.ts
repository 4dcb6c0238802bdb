import type { JsonObject } from "../json.ts";
import type { ObjectShape } from "../schema/shape.ts";
import { type Comparison, compare, filtered } from "./compare.ts";
import { FieldSet, fieldsNamed } from "./field-set.ts";
import { capped, isSameManager, type Manager, type Managers } from "./managers.ts";

/** Properties of the kind and the request that determine which manager owns which fields. */
export interface Ownership {
  readonly shape: ObjectShape;
  /** API version of the request. */
  readonly apiVersion: string;
  /** Empty if the request is for the object itself. */
  readonly subresource: string;
  /** Fields that such a request cannot change, the status for instance. No manager owns them through it. */
  readonly ignored: FieldSet | undefined;
  /** Whether the kind has that version. Entries of other versions are dropped. */
  readonly isKnownVersion: (apiVersion: string) => boolean;
}

export interface OwnerChange {
  readonly before: JsonObject;
  readonly after: JsonObject;
  readonly managers: Managers;
}

/** Fields that no manager owns. */
export const STRIPPED = fieldsNamed(
  "apiVersion",
  "kind",
  "metadata",
  "metadata.name",
  "metadata.namespace",
  "metadata.creationTimestamp",
  "metadata.selfLink",
  "metadata.uid",
  "metadata.clusterName",
  "metadata.generation",
  "metadata.managedFields",
  "metadata.resourceVersion",
);

export interface Writer {
  readonly name: string;
  /** RFC 3339, whole seconds. */
  readonly now: string;
}

/** Returns the managers after a create, an update, or a patch: the writer owns what it changed, and all others lose it. */
export function ownersAfterUpdate(ownership: Ownership, change: OwnerChange, writer: Writer): Managers {
  const { shape, apiVersion, subresource, ignored } = ownership;
  const comparison = filtered(compare(shape, change.before, change.after), ignored);
  const { managers } = losing(ownership, change.managers, comparison);
  const changed = ownChanges(comparison, ignored);
  if (changed.isEmpty) return managers;
  const self = { name: writer.name === "" ? "unknown" : writer.name, operation: "Update", apiVersion, subresource } as const;
  // `lost` has the writer's fields before the loss, because the writer gets them back.
  const previous = managers.find((manager) => isSameManager(manager, self));
  const lost = change.managers.find((manager) => isSameManager(manager, self))?.fields ?? FieldSet.EMPTY;
  const fields = keptFields(lost, comparison).union(changed);
  if (previous?.time === writer.now && previous.fields === fields) return managers;
  const entry: Manager = { ...self, time: writer.now, fields };
  return capped([...managers.filter((manager) => manager !== previous), entry]);
}

function ownChanges({ added, modified }: Comparison, ignored: FieldSet | undefined): FieldSet {
  const all = modified.union(added);
  return (ignored === undefined ? all : all.recursiveDifference(ignored)).difference(STRIPPED);
}

/** Returns the writer's own fields without the removed ones. Changed fields stay, so that the set usually stays the same. */
function keptFields(fields: FieldSet, { removed }: Comparison): FieldSet {
  return fields.difference(removed);
}

export interface Loss {
  readonly managers: Managers;
  /** Managers that lose fields because another manager gives them other values. */
  readonly conflicts: readonly { readonly manager: Manager; readonly fields: FieldSet }[];
}

/** Returns the fields that managers keep after a change by another manager. `except` keeps all of its fields. */
export function losing(
  { isKnownVersion }: Pick<Ownership, "isKnownVersion">,
  managers: Managers,
  comparison: Comparison,
  except?: Manager,
): Loss {
  const changed = comparison.modified.union(comparison.added);
  const conflicts: { manager: Manager; fields: FieldSet }[] = [];
  const left: Manager[] = [];
  for (const manager of managers) {
    if (manager === except) {
      if (!manager.fields.isEmpty) left.push(manager);
      continue;
    }
    if (!isKnownVersion(manager.apiVersion)) continue;
    const conflict = manager.fields.intersection(changed);
    if (!conflict.isEmpty) conflicts.push({ manager, fields: conflict });
    const fields = manager.fields.difference(conflict).difference(comparison.removed);
    if (!fields.isEmpty) left.push(fields === manager.fields ? manager : { ...manager, fields });
  }
  return { managers: left, conflicts };
}
