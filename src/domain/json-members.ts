import { isJsonObject, type JsonObject } from "./json-object.ts";
import type { KubeObject } from "./kubernetes.ts";

/** Empty where the value is no object: objects of the API server may lack any part. */
export function membersOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

export function memberOf(object: object, name: string): JsonObject {
  return membersOf((object as JsonObject)[name]); // Any object may be asked for any member.
}

/** Undefined where a step is missing, or something on the way is no object. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((here, step) => (isJsonObject(here) ? here[step] : undefined), value);
}

export function objectAt(value: unknown, path: readonly string[]): JsonObject | undefined {
  const found = valueAt(value, path);
  return isJsonObject(found) ? found : undefined;
}

/** An object with metadata: what an API server answers for the kind that was asked for, which is `T` by its word. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the one place where bytes get their type.
export function isKubeObject<T extends KubeObject>(value: unknown): value is T {
  return isJsonObject(valueAt(value, ["metadata"]));
}

/** Empty where the value is no list. */
export function itemsIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Its objects; what else is in the list is left out. */
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
