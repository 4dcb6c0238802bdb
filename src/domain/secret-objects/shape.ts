import { isJsonObject, type JsonObject } from "../json-object.ts";
import type { SecretObject } from "../kubernetes.ts";
import { isTextMap } from "../text-map.ts";

/** Returns undefined if the value violates the schema. Removes fields without a value. */
export function readSecretObjects(value: unknown): readonly SecretObject[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isJsonObject)) return undefined;
  return value.every(isSecretObject) ? value.map(withoutNulls) : undefined;
}

function withoutNulls(object: JsonObject): SecretObject {
  return Object.fromEntries(Object.entries(object).filter(([, member]) => member !== null));
}

function isSecretObject(value: JsonObject): boolean {
  const { secretName, type, labels, annotations, data } = value;
  const areEntries =
    isAbsent(data) || (Array.isArray(data) && data.every((entry) => isJsonObject(entry) && Object.values(entry).every(isText)));
  return (
    [secretName, type].every((text) => isAbsent(text) || isText(text)) &&
    [labels, annotations].every((map) => isAbsent(map) || isTextMap(map)) &&
    areEntries
  );
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;
const isText = (value: unknown): value is string => typeof value === "string";
