import { isJsonObject, type JsonObject } from "./json-object.ts";
import type { KubeObject } from "./kubernetes.ts";

/** Returns the value, or an empty object if it is not an object. Objects of the API server may lack any part. */
export function membersOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

export function memberOf(object: object, name: string): JsonObject {
  return membersOf((object as JsonObject)[name]); // A caller may read any member of any object.
}

/** Returns the value at the path; undefined if a step is missing or is not an object. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((here, step) => (isJsonObject(here) ? here[step] : undefined), value);
}

export function objectAt(value: unknown, path: readonly string[]): JsonObject | undefined {
  const found = valueAt(value, path);
  return isJsonObject(found) ? found : undefined;
}

/** Whether a value is an object with metadata. The API server returns the requested kind, so the caller can trust that it is a `T`. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the one place where bytes get their type.
export function isKubeObject<T extends KubeObject>(value: unknown): value is T {
  return isJsonObject(valueAt(value, ["metadata"]));
}

/** Returns the items of a list, or nothing if the value is not a list. */
export function itemsIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Returns the objects in a list member, and omits all other items. */
export function listAt(object: JsonObject, name: string): readonly JsonObject[] {
  return itemsIn(object[name]).filter(isJsonObject);
}

export function nonEmptyText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function numberAt(object: JsonObject, name: string, otherwise: number): number {
  const value = object[name];
  return typeof value === "number" ? value : otherwise;
}
