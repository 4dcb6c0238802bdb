import { isJsonObject, type JsonObject } from "./json-object.ts";

/** Empty where there is none: objects of the API server may lack any part. */
export function memberOf(object: object, name: string): JsonObject {
  const member: unknown = (object as JsonObject)[name]; // Any object may be asked for any member.
  return isJsonObject(member) ? member : {};
}

/** Its objects; what else is in the list is left out. */
export function listAt(object: JsonObject, name: string): readonly JsonObject[] {
  const list = object[name];
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}
