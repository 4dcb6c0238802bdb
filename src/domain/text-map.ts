import { membersOf } from "./json-members.ts";
import { isJsonObject } from "./json-object.ts";
import { quoted } from "./quoted.ts";

/** Whether a value is a map of strings, as annotations and labels are. */
export function isTextMap(value: unknown): value is Readonly<Record<string, string>> {
  return isJsonObject(value) && Object.values(value).every((entry) => typeof entry === "string");
}

/** Describes why a value is not a {@link isTextMap}, with the first wrong entry and the fix. */
export function textMapProblem(value: unknown, path: string): string {
  return `${path} must be a map of strings${unquotedIn(value)}`;
}

/** In YAML, `true` and `1` without quotation marks are not strings. */
function unquotedIn(map: unknown): string {
  const [key, value] = Object.entries(membersOf(map)).find(([, entry]) => typeof entry !== "string") ?? [];
  if (key === undefined) return "";
  const isPlain = ["boolean", "number", "bigint"].includes(typeof value);
  return isPlain ? `; ${quoted(key, 63)} is ${String(value)}; quote it: "${String(value)}"` : `; ${quoted(key, 63)} is not a string`;
}

/** Returns the entry of a key that users choose. Inherited names such as `constructor` yield an entry only if the map itself has it. */
export function ownEntry(map: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Whether all wanted entries exist with their values. */
export function hasEntries(actual: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => ownEntry(actual, key) === value);
}
