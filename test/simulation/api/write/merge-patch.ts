import { type Draft, isObject, type Json, type JsonObject } from "../json.ts";

/** Applies a merge patch (RFC 7396). The result shares the unchanged parts of the target. */
export function mergePatched(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const base: JsonObject = isObject(target) ? target : {};
  let merged: Draft | undefined;
  for (const [name, value] of Object.entries(patch)) {
    const before = base[name];
    if (value === null) {
      if (before !== undefined) delete (merged ??= { ...base })[name];
      continue;
    }
    const after = mergePatched(before, value);
    if (after !== before) (merged ??= { ...base })[name] = after;
  }
  return merged ?? base;
}
