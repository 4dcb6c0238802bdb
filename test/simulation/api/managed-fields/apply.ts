import { isEqual, isObject, type Json, type JsonObject } from "../json.ts";
import type { ObjectShape } from "../schema/shape.ts";
import { compare, filtered } from "./compare.ts";
import { fieldsOf } from "./contents.ts";
import { FieldSet } from "./field-set.ts";
import { isSameManager, type Manager, type Managers } from "./managers.ts";
import { merge } from "./merge.ts";
import { losing, type Ownership, ownersAfterUpdate, STRIPPED, type Writer } from "./owners.ts";
import { pathText } from "./path-element.ts";
import { remove, withNamedFields } from "./remove.ts";

export interface Applying extends Writer {
  readonly force: boolean;
}

export interface Applied {
  readonly kind: "applied";
  readonly object: JsonObject;
  readonly managers: Managers;
}

/** Fields that another manager has given another value. */
export interface Conflicts {
  readonly kind: "conflicts";
  readonly conflicts: readonly { readonly manager: Manager; readonly path: string; readonly elements: readonly string[] }[];
}

export interface Live {
  readonly object: JsonObject;
  readonly managers: Managers;
  /** What an object of the kind is before anybody has written to it. */
  readonly blank: JsonObject;
}

const BEFORE_APPLY = "before-first-apply";

/** Server-side apply: the applied values over the live ones, without what the manager applied before and does not apply now. */
export function apply(ownership: Ownership, live: Live, applied: JsonObject, applying: Applying): Applied | Conflicts {
  const before = live.managers.length > 0 ? live.managers : ownedBeforeApply(ownership, live, applying);
  const self = {
    name: applying.name === "" ? "unknown" : applying.name,
    operation: "Apply",
    apiVersion: ownership.apiVersion,
    subresource: ownership.subresource,
  } as const;
  const last = before.find((manager) => isSameManager(manager, self));
  const contents = fieldsOf(ownership.shape, applied);
  const fields = ownership.ignored === undefined ? contents : contents.recursiveDifference(ownership.ignored);
  const entry: Manager = { ...self, time: last?.time, fields };
  const others = before.filter((manager) => manager !== last);
  const merged = asObject(merge(ownership.shape, live.object, applied));
  const object = pruned(ownership.shape, { merged, managers: [...others, entry], last });
  const comparison = filtered(compare(ownership.shape, live.object, object), ownership.ignored);
  const loss = losing(ownership, [...others, entry], comparison, entry);
  if (!applying.force && loss.conflicts.length > 0) return { kind: "conflicts", conflicts: reported(loss.conflicts) };
  const isUnchanged = isEqual(live.object, object);
  const managers = loss.managers.flatMap((manager) =>
    manager === entry ? finished(entry, isUnchanged ? entry.time : applying.now) : [manager],
  );
  return { kind: "applied", object: isUnchanged ? live.object : object, managers };
}

/** Of an object that was never tracked, all that it holds is somebody's. */
function ownedBeforeApply(ownership: Ownership, { object, blank }: Live, { now }: Writer): Managers {
  return ownersAfterUpdate(ownership, { before: blank, after: object, managers: [] }, { name: BEFORE_APPLY, now });
}

function finished(entry: Manager, time: string | undefined): readonly Manager[] {
  const fields = entry.fields.difference(STRIPPED);
  return fields.isEmpty ? [] : [{ ...entry, fields, time }];
}

function reported(conflicts: readonly { readonly manager: Manager; readonly fields: FieldSet }[]): Conflicts["conflicts"] {
  return conflicts.flatMap(({ manager, fields }) => fields.paths().map((elements) => ({ manager, elements, path: pathText(elements) })));
}

interface Pruning {
  readonly merged: JsonObject;
  /** With the applying manager's new entry. */
  readonly managers: Managers;
  /** The applying manager's entry before this apply. */
  readonly last: Manager | undefined;
}

/** Takes away what the manager applied before, unless somebody applies it now or it holds what somebody owns. */
function pruned(shape: ObjectShape, { merged, managers, last }: Pruning): JsonObject {
  if (last === undefined || last.fields.isEmpty) return merged;
  const contents = fieldsOf(shape, merged);
  const before = withNamedFields(shape, last.fields);
  const owned = managers.reduce((all, { fields }) => all.union(fields), FieldSet.EMPTY);
  const mergedSet = withNamedFields(shape, contents);
  const without = asObject(remove(shape, merged, before));
  const withOwned = asObject(remove(shape, merged, missingFrom(shape, mergedSet, [fieldsOf(shape, without), owned])));
  // What nobody ever applied is not taken away with what was applied beside it.
  const dangling = withNamedFields(shape, fieldsOf(shape, withOwned));
  return asObject(remove(shape, merged, mergedSet.difference(dangling).intersection(before)));
}

function missingFrom(shape: ObjectShape, all: FieldSet, kept: readonly FieldSet[]): FieldSet {
  const known = kept.map((fields) => withNamedFields(shape, fields)).reduce((union, fields) => union.union(fields));
  return all.difference(known);
}

function asObject(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}
