import { membersOf } from "../json-members.ts";
import { isJsonObject } from "../json-object.ts";
import type { ManagedFieldsEntry } from "../kubernetes.ts";
import { type FieldSet, isNamed } from "./owned-fields.ts";

/** Name of the list item or map itself, as opposed to its content. */
const ITSELF = ".";

export function isEmptySet(fields: FieldSet): boolean {
  return Object.keys(fields).length === 0;
}

/**
 * Returns the fields in `all` that are not in `some`. If `some` has a whole field, the field is removed with its content. If both sets have
 * parts of a list item or map, the item or map itself is not a difference.
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

/** Returns the set without the fields of another set. A list item or map that keeps some content stays itself. */
function stripped(all: FieldSet, fields: FieldSet): FieldSet {
  return kept(all, (name, inner) => {
    if (!(name in fields)) return inner;
    const gone = membersOf(fields[name]);
    if (isEmptySet(gone) || isEmptySet(inner) || ITSELF in gone) return undefined;
    const left = stripped(inner, gone);
    return isEmptySet(left) ? undefined : left;
  });
}

/** Returns the fields in both sets. If one set has a whole field, the result has the other set's parts of it. */
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

/** Returns the set with the keys of its list items, which belong to the manager that applies such an item. */
export function withItemKeys(fields: FieldSet): FieldSet {
  return Object.fromEntries(
    Object.entries(fields).map(([name, inner]) => {
      const key: unknown = name.startsWith("k:") ? JSON.parse(name.slice(2)) : {}; // Encoding of the API server.
      const keys = Object.keys(membersOf(key)).map((field) => [`f:${field}`, {}] as const);
      return [name, { ...Object.fromEntries(keys), ...withItemKeys(membersOf(inner)) }];
    }),
  );
}

/** Returns the fields of the set that have content in a value. An empty list or object counts as missing. */
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

/** Returns the value without the fields of the set, and without objects that are empty as a result. */
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

/** Returns the entries without the fields. Removes entries that owned nothing else. */
export function disowned(entries: readonly ManagedFieldsEntry[], fields: FieldSet): readonly ManagedFieldsEntry[] {
  if (isEmptySet(fields)) return entries;
  return entries.flatMap((entry) => {
    const fieldsV1 = stripped(entry.fieldsV1 ?? {}, fields);
    return isEmptySet(fieldsV1) ? [] : [{ ...entry, fieldsV1 }];
  });
}

/** Returns paths of the fields for messages: names and keys, never values. */
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
  const key: unknown = JSON.parse(name.slice(2)); // Encoding of the API server.
  return `${at}[${isJsonObject(key) ? Object.values(key).join("/") : ""}]`;
}

/** Returns the member of an object, or the item of a list, for a name in a field set. */
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
