import { membersOf } from "../json-members.ts";
import { isJsonObject, type JsonObject } from "../json-object.ts";
import type { ManagedFieldsEntry } from "../kubernetes.ts";

/**
 * `fieldsV1` of managedFields: a tree of `f:<field>`, `k:<key of a list item>`, `v:<value of a set>` and `.` (the thing itself). See
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/.
 */
export type FieldSet = JsonObject;

/**
 * Fields that the worker never compares or writes, whatever the recorded owner: the webhook's replicas publish their CA, controllers count,
 * and the worker must not restore owners and finalizers.
 */
const NOT_COMPARED = [
  "f:caBundle",
  "f:deprecated.daemonset.template.generation",
  "f:deployment.kubernetes.io/revision",
  "f:finalizers",
  "f:ownerReferences",
];

/** Returns all fields that the entries own, without the ones that are never compared. */
export function comparedFields(entries: readonly ManagedFieldsEntry[]): FieldSet {
  return entries.reduce<FieldSet>((all, { fieldsV1 }) => union(all, pruned(fieldsV1 ?? {}) ?? {}), {});
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, union(membersOf(a[name]), membersOf(b[name]))]));
}

/** Returns undefined if nothing is left, because an empty set would mean the whole value. */
function pruned(fields: FieldSet): FieldSet | undefined {
  const members = Object.entries(fields).filter(([name]) => !NOT_COMPARED.includes(name));
  if (members.length === 0 && Object.keys(fields).length > 0) return undefined;
  const kept = members.flatMap(([name, inner]) => {
    const left = pruned(membersOf(inner));
    return left === undefined ? [] : [[name, left] as const];
  });
  return kept.length === 0 && members.length > 0 ? undefined : Object.fromEntries(kept);
}

/** Order of list items: as in the value, or as in the field set, which is the same for equal content. */
export type ItemOrder = "as it is" | "comparable";

/** Returns the part of a value that the field set names; undefined if the value has no such part. */
export function ownedPart(value: unknown, fields: FieldSet, order: ItemOrder = "as it is"): unknown {
  const names = Object.keys(fields);
  if (value === undefined || names.length === 0) return value;
  if (Array.isArray(value)) return ownedItems(value, fields, order);
  if (!isJsonObject(value)) return value;
  const members = names.flatMap((name) => {
    if (!name.startsWith("f:")) return [];
    const part = ownedPart(value[name.slice(2)], membersOf(fields[name]), order);
    return part === undefined ? [] : [[name.slice(2), part] as const];
  });
  return members.length === 0 && !names.includes(".") ? undefined : Object.fromEntries(members);
}

function ownedItems(items: readonly unknown[], fields: FieldSet, order: ItemOrder): unknown {
  const names = Object.keys(fields);
  const owned = items.flatMap((item, index) => {
    const name = names.find((candidate) => isNamed(candidate, item, index));
    if (name === undefined) return [];
    const part = ownedPart(item, membersOf(fields[name]), order);
    const key = name.startsWith("k:") ? (JSON.parse(name.slice(2)) as JsonObject) : undefined; // Encoding of the API server.
    const kept = key === undefined ? part : { ...key, ...membersOf(part) };
    return [{ place: names.indexOf(name), kept }];
  });
  if (owned.length === 0 && !names.includes(".")) return undefined;
  const ordered = order === "comparable" ? owned.toSorted((a, b) => a.place - b.place) : owned;
  return ordered.map(({ kept }) => kept);
}

/** Whether a field set's name of a list item matches this item. */
export function isNamed(name: string, item: unknown, index: number): boolean {
  if (name.startsWith("v:")) return JSON.stringify(item) === name.slice(2);
  if (name.startsWith("i:")) return Number(name.slice(2)) === index;
  if (!name.startsWith("k:") || !isJsonObject(item)) return false;
  const key: unknown = JSON.parse(name.slice(2));
  return isJsonObject(key) && Object.entries(key).every(([field, value]) => item[field] === value);
}

/** Whether a field set has all fields of another set. */
export function hasFields(all: FieldSet, some: FieldSet): boolean {
  return Object.entries(some).every(([name, inner]) => name in all && hasFields(membersOf(all[name]), membersOf(inner)));
}

/** Returns the differences between two values as paths without values. `at` is the path of the values themselves. */
export function differences(wanted: unknown, live: unknown, at = ""): readonly string[] {
  if (isJsonObject(wanted) && isJsonObject(live)) {
    const names = [...new Set([...Object.keys(wanted), ...Object.keys(live)])];
    return names.flatMap((name) => differences(wanted[name], live[name], at === "" ? name : `${at}.${name}`));
  }
  if (Array.isArray(wanted) && Array.isArray(live) && wanted.length === live.length) {
    return wanted.flatMap((item, index) => differences(item, live[index], `${at}[${index}]`));
  }
  return wanted === live ? [] : [at === "" ? "(all)" : at];
}
