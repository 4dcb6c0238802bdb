import { isObject, type Json, type JsonObject, objectAt } from "../json.ts";

/** Sets the defaults of one object of a type. Nested types have their own. */
export type Defaulting = (object: JsonObject) => JsonObject;

/** Sets members that are missing, or that have a value that Go treats as missing. */
export function setting(defaults: JsonObject): Defaulting {
  const entries = Object.entries(defaults);
  return (object) => {
    const missing = entries.filter(([name]) => isUnset(object[name]));
    return missing.length === 0 ? object : { ...object, ...Object.fromEntries(missing) };
  };
}

/** Does the same in a member, and creates the member if necessary. */
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

/** Whether a member is missing or empty. False and 0 count as set, because Go has pointers for such fields. */
function isUnset(value: Json | undefined): boolean {
  return value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
}
