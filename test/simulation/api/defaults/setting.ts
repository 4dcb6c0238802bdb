import { isObject, type Json, type JsonObject, objectAt } from "../json.ts";

/** Fills in one object of a type; nested types have their own. */
export type Defaulting = (object: JsonObject) => JsonObject;

/** Members that are filled in where there are none, or where they hold what Go takes for none. */
export function setting(defaults: JsonObject): Defaulting {
  const entries = Object.entries(defaults);
  return (object) => {
    const missing = entries.filter(([name]) => isUnset(object[name]));
    return missing.length === 0 ? object : { ...object, ...Object.fromEntries(missing) };
  };
}

/** The same within a member, which is made where there is none. */
export function settingIn(member: string, defaults: JsonObject): Defaulting {
  return within(member, setting(defaults));
}

export function within(member: string, defaulting: Defaulting): Defaulting {
  return (object) => {
    const inner = objectAt(object, member);
    const filled = defaulting(inner);
    return filled === object[member] || (filled === inner && !isObject(object[member])) ? object : { ...object, [member]: filled };
  };
}

export function all(...defaultings: readonly Defaulting[]): Defaulting {
  return (object) => defaultings.reduce((filled, defaulting) => defaulting(filled), object);
}

/** Pointers keep their empty values: false and 0 are what somebody has said. */
function isUnset(value: Json | undefined): boolean {
  return value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
}
