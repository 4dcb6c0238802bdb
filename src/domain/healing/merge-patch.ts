import { isJsonObject, type JsonObject } from "../json-object.ts";

/** The JSON merge patch (RFC 7396) that makes the one of the other; undefined where they are equal. Lists are replaced whole. */
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
