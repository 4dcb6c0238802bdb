/** Any JSON value. It is never changed in place: every stored state shares its unchanged parts with the one before. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** A JSON object while it is being built. */
export type Draft = Record<string, Json>;

export const EMPTY_OBJECT: JsonObject = {};

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Returns the object in the member, or an empty object. */
export function objectAt(object: JsonObject | undefined, name: string): JsonObject {
  const member = object?.[name];
  return isObject(member) ? member : EMPTY_OBJECT;
}

/** Returns the list in the member, or an empty list. */
export function listAt(object: JsonObject | undefined, name: string): readonly Json[] {
  const member = object?.[name];
  return isList(member) ? member : [];
}

export function stringAt(object: JsonObject | undefined, name: string): string | undefined {
  const member = object?.[name];
  return typeof member === "string" ? member : undefined;
}

/** Returns a scalar as text, and an object or a list as JSON. */
export function textOf(value: Json | undefined): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Returns the object with that member, or without it if the value is undefined. Returns the same object if nothing changes. */
export function withMember(object: JsonObject, name: string, value: Json | undefined): JsonObject {
  if (object[name] === value) return object;
  if (value !== undefined) return { ...object, [name]: value };
  const { [name]: _removed, ...rest } = object;
  return rest;
}

/** Compares two values deeply, regardless of the order of members. */
export function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && isEqual(a[name], b[name]));
}

/** Compares like {@link isEqual}, but treats absent, null, and empty members as equal, as Go's API machinery does with decoded objects. */
export function isSameMeaning(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b || (isVoid(a) && isVoid(b))) return true;
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, index) => isSameMeaning(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  for (const name of Object.keys(a)) if (!isSameMeaning(a[name], b[name])) return false;
  for (const name of Object.keys(b)) if (!(name in a) && !isVoid(b[name])) return false;
  return true;
}

function isVoid(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true;
  if (isList(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

/** Returns JSON text with the members of each object sorted by name. */
export function canonicalJson(value: Json): string {
  return JSON.stringify(value, (_key, inner: Json) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
