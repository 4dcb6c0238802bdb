import { membersOf } from "./json-members.ts";
import { isJsonObject } from "./json-object.ts";
import { quoted } from "./quoted.ts";

/** As annotations and labels are. */
export function isTextMap(value: unknown): value is Readonly<Record<string, string>> {
  return isJsonObject(value) && Object.values(value).every((entry) => typeof entry === "string");
}

/** What is wrong with a value that is no {@link isTextMap}, by the first entry at fault, and what to write. */
export function textMapProblem(value: unknown, path: string): string {
  return `${path} must be a map of strings${unquotedIn(value)}`;
}

/** YAML takes `true` and `1` without quotation marks for no text. */
function unquotedIn(map: unknown): string {
  const [key, value] = Object.entries(membersOf(map)).find(([, entry]) => typeof entry !== "string") ?? [];
  if (key === undefined) return "";
  const isPlain = ["boolean", "number", "bigint"].includes(typeof value);
  return isPlain ? `; ${quoted(key, 63)} is ${String(value)}; quote it: "${String(value)}"` : `; ${quoted(key, 63)} is not a string`;
}

/** By a key that people choose: `constructor` and the like stand for an entry only where there is one. */
export function ownEntry(map: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Whether all of the wanted entries are there, with their values. */
export function hasEntries(actual: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => ownEntry(actual, key) === value);
}
