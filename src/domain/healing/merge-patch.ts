import { isJsonObject, type JsonObject } from "../json-object.ts";

/** Returns the JSON merge patch (RFC 7396) from one object to the other; undefined if they are equal. Lists are replaced as a whole. */
export function mergePatchOf(from: JsonObject, to: JsonObject): JsonObject | undefined {
  const removed = Object.keys(from).filter((key) => to[key] === undefined && from[key] !== undefined);
  const changed = Object.entries(to).flatMap(([key, wanted]): readonly (readonly [string, unknown])[] => {
    const had = from[key];
    if (isJsonObject(wanted) && isJsonObject(had)) {
      const inner = mergePatchOf(had, wanted);
      return inner === undefined ? [] : [[key, inner]];
    }
    return JSON.stringify(wanted) === JSON.stringify(had) ? [] : [[key, wanted]];
  });
  const patch = Object.fromEntries([...removed.map((key): readonly [string, unknown] => [key, null]), ...changed]);
  return Object.keys(patch).length === 0 ? undefined : patch;
}
