import { membersOf } from "../json-members.ts";
import { isJsonObject } from "../json-object.ts";
import type { ManagedFieldsEntry } from "../kubernetes.ts";
import { type FieldSet, isNamed } from "./owned-fields.ts";

/** The thing itself, as opposed to something in it: a list item, a map. */
const ITSELF = ".";

export function isEmptySet(fields: FieldSet): boolean {
  return Object.keys(fields).length === 0;
}

/**
 * What is in `all` and not in `some`; a field that `some` has whole goes with everything in it. A thing that both have something of is itself
 * no difference.
 */
export function difference(all: FieldSet, some: FieldSet): FieldSet {
  return kept(all, (name, inner) => {
    if (!(name in some)) return inner;
    const rest = membersOf(some[name]);
    if (isEmptySet(rest) || isEmptySet(inner)) return undefined;
    const { [ITSELF]: _itself, ...left } = difference(inner, rest);
    return isEmptySet(left) ? undefined : left;
  });
}

/** The set without the fields of another one; things of which something is left stay themselves. */
function stripped(all: FieldSet, fields: FieldSet): FieldSet {
  return kept(all, (name, inner) => {
    if (!(name in fields)) return inner;
    const gone = membersOf(fields[name]);
    if (isEmptySet(gone) || isEmptySet(inner) || ITSELF in gone) return undefined;
    const left = stripped(inner, gone);
    return isEmptySet(left) ? undefined : left;
  });
}

/** What is in both; of a field that one has whole, what the other names of it. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return kept(a, (name, inner) => {
    if (!(name in b)) return undefined;
    const other = membersOf(b[name]);
    if (isEmptySet(inner)) return other;
    if (isEmptySet(other)) return inner;
    const both = intersection(inner, other);
    return isEmptySet(both) ? undefined : both;
  });
}

/** The set with the keys of its list items, which belong to whoever applies such an item. */
export function withItemKeys(fields: FieldSet): FieldSet {
  return Object.fromEntries(
    Object.entries(fields).map(([name, inner]) => {
      const key: unknown = name.startsWith("k:") ? JSON.parse(name.slice(2)) : {}; // The API server's own encoding.
      const keys = Object.keys(membersOf(key)).map((field) => [`f:${field}`, {}] as const);
      return [name, { ...Object.fromEntries(keys), ...withItemKeys(membersOf(inner)) }];
    }),
  );
}

/** The fields of the set that a value has, and has something in: an empty list or object is as good as none. */
export function presentFields(fields: FieldSet, value: unknown): FieldSet {
  return kept(fields, (name, inner) => {
    if (name === ITSELF) return inner;
    const member = memberNamed(value, name);
    if (isNothing(member)) return undefined;
    if (isEmptySet(inner) || ITSELF in inner) return inner;
    const present = presentFields(inner, member);
    return isEmptySet(present) ? undefined : present;
  });
}

/** The value without the fields of the set, and without what is empty for their absence. */
export function withoutFields(value: unknown, fields: FieldSet): unknown {
  if (Array.isArray(value)) {
    return value.flatMap((item, index): readonly unknown[] => {
      const name = Object.keys(fields).find((candidate) => isNamed(candidate, item, index));
      if (name === undefined) return [item];
      const inner = membersOf(fields[name]);
      return isEmptySet(inner) || ITSELF in inner ? [] : [withoutFields(item, inner)];
    });
  }
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).flatMap(([name, member]): readonly (readonly [string, unknown])[] => {
    const inner = fields[`f:${name}`];
    if (inner === undefined) return [[name, member]];
    if (isEmptySet(membersOf(inner))) return [];
    const left = withoutFields(member, membersOf(inner));
    return isNothing(left) && !isNothing(member) ? [] : [[name, left]];
  });
  return Object.fromEntries(members);
}

/** Entries that do not own the fields; one that owned nothing else is gone. */
export function disowned(entries: readonly ManagedFieldsEntry[], fields: FieldSet): readonly ManagedFieldsEntry[] {
  if (isEmptySet(fields)) return entries;
  return entries.flatMap((entry) => {
    const fieldsV1 = stripped(entry.fieldsV1 ?? {}, fields);
    return isEmptySet(fieldsV1) ? [] : [{ ...entry, fieldsV1 }];
  });
}

/** Paths of the fields, for people: names and keys, never values. */
export function fieldPaths(fields: FieldSet): readonly string[] {
  return isEmptySet(fields) ? [] : pathsBelow(fields, "");
}

function pathsBelow(fields: FieldSet, at: string): readonly string[] {
  const names = Object.keys(fields).filter((name) => name !== ITSELF);
  if (names.length === 0 || ITSELF in fields) return [at];
  return names.flatMap((name) => pathsBelow(membersOf(fields[name]), pathOf(name, at)));
}

function pathOf(name: string, at: string): string {
  if (name.startsWith("f:")) return at === "" ? name.slice(2) : `${at}.${name.slice(2)}`;
  if (!name.startsWith("k:")) return at;
  const key: unknown = JSON.parse(name.slice(2)); // The API server's own encoding.
  return `${at}[${isJsonObject(key) ? Object.values(key).join("/") : ""}]`;
}

/** The member of an object, or the item of a list, that a name of a field set means. */
export function memberNamed(value: unknown, name: string): unknown {
  if (name.startsWith("f:")) return isJsonObject(value) ? value[name.slice(2)] : undefined;
  return Array.isArray(value) ? value.find((item, index) => isNamed(name, item, index)) : undefined;
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function kept(fields: FieldSet, keep: (name: string, inner: FieldSet) => FieldSet | undefined): FieldSet {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, inner]) => {
      const left = keep(name, membersOf(inner));
      return left === undefined ? [] : [[name, left]];
    }),
  );
}
