/** What a component adds to an object, as places in what it makes of it. */
import { isDeepStrictEqual } from "node:util";
import { type Json, type JsonMap, stepOfKey } from "./place.ts";

/** Paths in `changed`, as marks have them; undefined where more was done than to add, or to something that no path leads to. */
export function additionsTo(object: Json, changed: Json, at = ""): readonly string[] | undefined {
  if (isDeepStrictEqual(object, changed)) return [];
  if (isList(object) && isList(changed)) return additionsToList(object, changed, at);
  if (isMap(object) && isMap(changed)) return additionsToMap(object, changed, at);
  return undefined;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isMap(value: Json): value is JsonMap {
  return typeof value === "object" && value !== null && !isList(value);
}

const below = (at: string, step: string): string => (at === "" ? step : `${at}/${step}`);

function additionsToMap(object: JsonMap, changed: JsonMap, at: string): readonly string[] | undefined {
  if (Object.keys(object).some((key) => !(key in changed))) return undefined;
  return together(
    Object.entries(changed).map(([key, value]) => {
      const before = object[key];
      const step = below(at, stepOfKey(key));
      return before === undefined ? [step] : additionsTo(before, value, step);
    }),
  );
}

/** Further items come after those that are there. */
function additionsToList(object: readonly Json[], changed: readonly Json[], at: string): readonly string[] | undefined {
  if (changed.length < object.length) return undefined;
  return together(
    changed.map((item, index) => {
      const before = object[index];
      if (isDeepStrictEqual(before, item)) return [];
      const step = stepTo(item);
      if (step === undefined) return undefined;
      return before === undefined ? [below(at, step)] : additionsTo(before, item, below(at, step));
    }),
  );
}

function stepTo(item: Json): string | undefined {
  if (typeof item === "string") return `[=${item}]`;
  return isMap(item) && typeof item["name"] === "string" ? `[name=${item["name"]}]` : undefined;
}

function together(parts: readonly (readonly string[] | undefined)[]): readonly string[] | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === parts.length ? known.flat() : undefined;
}
