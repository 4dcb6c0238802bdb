import { isObject, type Json, type JsonObject, stringAt } from "../json.ts";
import { FieldSet } from "./field-set.ts";

export type Operation = "Apply" | "Update";

/** One entry of managedFields: a manager and its fields. */
export interface Manager {
  readonly name: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339; undefined if the entry has no time. */
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

export type Managers = readonly Manager[];

/** Maximum number of entries of updates. The oldest ones beyond it are merged. */
const MOST_UPDATERS = 10;

const OLD_UPDATES = "ancient-changes";

/** Whether two entries belong to the same manager. For an apply, the API version does not matter. */
export function isSameManager(a: Omit<Manager, "time" | "fields">, b: Omit<Manager, "time" | "fields">): boolean {
  return (
    a.name === b.name &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === "Apply" || a.apiVersion === b.apiVersion)
  );
}

export function encodeManagers(managers: Managers): readonly JsonObject[] {
  return inOrder(managers).map(encodeManager);
}

/** Sorts the managers as managedFields lists them. */
export function inOrder(managers: Managers): Managers {
  return [...managers].sort(byPlace);
}

const encoded = new WeakMap<Manager, JsonObject>();

function encodeManager(manager: Manager): JsonObject {
  const known = encoded.get(manager);
  if (known !== undefined) return known;
  const { name, operation, apiVersion, time, fields, subresource } = manager;
  const entry: JsonObject = {
    ...(name === "" ? {} : { manager: name }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: "FieldsV1",
    fieldsV1: fields.encode(),
    ...(subresource === "" ? {} : { subresource }),
  };
  encoded.set(manager, entry);
  return entry;
}

function byPlace(a: Manager, b: Manager): number {
  return (
    order(a.operation, b.operation) ||
    order(a.time ?? "", b.time ?? "") ||
    order(a.name, b.name) ||
    order(a.apiVersion, b.apiVersion) ||
    order(a.subresource, b.subresource)
  );
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Decodes the entries of a request. Returns undefined if one of them is invalid, because then none of them counts. */
export function decodeManagers(entries: readonly Json[]): Managers | undefined {
  const managers: Manager[] = [];
  for (const entry of entries) {
    const manager = isObject(entry) ? decodeManager(entry) : undefined;
    if (manager === undefined) return undefined;
    const same = managers.findIndex((other) => isSameManager(other, manager));
    if (same === -1) managers.push(manager);
    else managers[same] = manager;
  }
  return managers;
}

function decodeManager(entry: JsonObject): Manager | undefined {
  const operation = entry["operation"];
  const apiVersion = stringAt(entry, "apiVersion");
  if (operation !== "Apply" && operation !== "Update") return undefined;
  if (apiVersion === undefined || apiVersion === "" || entry["fieldsType"] !== "FieldsV1") return undefined;
  return {
    name: stringAt(entry, "manager") ?? "",
    operation,
    apiVersion,
    subresource: stringAt(entry, "subresource") ?? "",
    time: stringAt(entry, "time"),
    fields: FieldSet.decode(entry["fieldsV1"]),
  };
}

/** Merges the oldest entries of updates if there are too many. */
export function capped(managers: Managers): Managers {
  const updaters = managers.filter(({ operation }) => operation === "Update");
  if (updaters.length <= MOST_UPDATERS) return managers;
  const oldest = updaters.sort((a, b) => order(a.time ?? "", b.time ?? "") || order(identity(a), identity(b)));
  let left = [...managers];
  const first = new Map<string, Manager>();
  let count = updaters.length;
  for (const updater of oldest) {
    if (count <= MOST_UPDATERS) break;
    const before = first.get(updater.apiVersion);
    if (before === undefined) {
      first.set(updater.apiVersion, updater);
      continue;
    }
    const bucket = { name: OLD_UPDATES, operation: "Update", apiVersion: updater.apiVersion, subresource: "" } as const;
    const known = left.find((manager) => isSameManager(manager, bucket)) ?? before;
    const merged: Manager = { ...bucket, time: updater.time, fields: updater.fields.union(known.fields) };
    left = [...left.filter((manager) => manager !== updater && manager !== known), merged];
    count--;
  }
  return left;
}

/** Returns the identifier that the API server sorts entries of the same second by. */
function identity({ name, operation, apiVersion, subresource }: Manager): string {
  return JSON.stringify({ manager: name, operation, apiVersion, ...(subresource === "" ? {} : { subresource }) });
}
