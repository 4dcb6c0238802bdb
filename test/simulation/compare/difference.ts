import { isList, isObject, type Json, type JsonObject, objectAt, textOf } from "../api/json.ts";
import type { Correspondence } from "./correspondence.ts";

export type DifferenceKind = "status" | "content" | "managedFields" | "version" | "watch";

/** One place in which the answers of the servers differ. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** For example `metadata.labels.app`. */
  readonly path: string;
  readonly real: Json | undefined;
  readonly simulated: Json | undefined;
}

/** Compares two values. Corresponding UIDs, versions, and generated names count as equal. */
export function differencesBetween(real: Json | undefined, simulated: Json | undefined, pairs: Correspondence): readonly Difference[] {
  const found: Difference[] = [];
  new Comparing(pairs, found).value("", real, simulated);
  return found;
}

class Comparing {
  readonly #pairs: Correspondence;
  readonly #found: Difference[];

  constructor(pairs: Correspondence, found: Difference[]) {
    this.#pairs = pairs;
    this.#found = found;
  }

  value(path: string, real: Json | undefined, simulated: Json | undefined): void {
    if (isObject(real) && isObject(simulated)) this.#members(path, real, simulated);
    else if (isList(real) && isList(simulated)) this.#items(path, real, simulated);
    else if (!this.#isSame(path, real, simulated)) this.#found.push({ kind: kindOf(path), path, real, simulated });
  }

  #members(path: string, given: JsonObject, simulated: JsonObject): void {
    const real = path.includes("fieldsV1") ? this.#withNamesOf(given) : given;
    // Metadata comes first: the comparison of the rest needs its pairs of UIDs and names.
    for (const name of ["metadata", ...Object.keys({ ...real, ...simulated })].filter((name, index, all) => all.indexOf(name) === index)) {
      if (name in real || name in simulated) this.value(path === "" ? name : `${path}.${name}`, real[name], simulated[name]);
    }
  }

  /** Translates the UIDs of owner references in managedFields. */
  #withNamesOf(fields: JsonObject): JsonObject {
    return Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name.startsWith('k:{"uid"') ? this.#pairs.translated(name) : name, value]),
    );
  }

  #items(path: string, real: readonly Json[], simulated: readonly Json[]): void {
    const [a, b] = path === "items" ? [real, this.#inTheOrderOf(real, simulated)] : inOneOrder(path, real, simulated);
    if (a.length !== b.length)
      this.#found.push({ kind: kindOf(path), path: `${path}.length`, real: a.map(brief), simulated: b.map(brief) });
    else for (const [index, item] of a.entries()) this.value(`${path}[${index}]`, item, b[index]);
  }

  /** Sorts the simulated list like the real one if only generated names cause the different order. */
  #inTheOrderOf(real: readonly Json[], simulated: readonly Json[]): readonly Json[] {
    const given = real.map(keyIn);
    const found = simulated.map(keyIn);
    const wanted = given.map((key) => this.#pairs.keyOf(key));
    const isByChance = wanted.every((key, index) => {
      const other = found[index] ?? "";
      return key === other || (key !== given[index] && beginning(key) === beginning(other));
    });
    if (!isByChance || found.some((key) => !wanted.includes(key))) return simulated;
    const places = new Map(simulated.map((item, index) => [item, wanted.indexOf(found[index] ?? "")]));
    return simulated.toSorted((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
  }

  #isSame(path: string, real: Json | undefined, simulated: Json | undefined): boolean {
    if (typeof real !== "string" || typeof simulated !== "string") return real === simulated;
    const field = path.slice(path.lastIndexOf(".") + 1);
    if (field === "uid") return real === simulated || this.#pairs.pair(real, simulated);
    if (path === "metadata.resourceVersion" && this.#isList) return this.#pairs.isBetween(real, simulated);
    if (path.endsWith("metadata.resourceVersion")) return this.#pairs.pairVersions(real, simulated);
    if (path === "metadata.continue") return (real === "") === (simulated === "");
    if (real === simulated) return true;
    if (isGenerated(path, real, simulated)) return this.#pairs.pair(real, simulated);
    return this.#pairUidsIn(real, simulated) && this.#pairs.isSame(withoutCurrent(real), withoutCurrent(simulated));
  }

  /** Pairs the UIDs in two texts. Objects that were deleted before any comparison have no pair yet. */
  #pairUidsIn(real: string, simulated: string): boolean {
    const [seen, expected] = [real.match(UIDS) ?? [], simulated.match(UIDS) ?? []];
    if (seen.length !== expected.length) return false;
    return seen.every((uid, index) => uid === expected[index] || this.#pairs.pair(uid, expected[index] ?? ""));
  }

  #isList = false;

  /** Switches to the comparison of lists: the version of a list is the server's version, not an object's. */
  ofList(): this {
    this.#isList = true;
    return this;
  }
}

export function differencesOfLists(real: Json | undefined, simulated: Json | undefined, pairs: Correspondence): readonly Difference[] {
  const found: Difference[] = [];
  new Comparing(pairs, found).ofList().value("", real, simulated);
  return found;
}

const UIDS = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Replaces the current version of the server, which need not be the version of any object. */
function withoutCurrent(text: string): string {
  return text.replace(/(Too large resource version: \d+, current: )\d+/, "$1N");
}

function keyIn(item: Json): string {
  const { namespace = "", name = "" } = isObject(item) ? objectAt(item, "metadata") : {};
  return `${textOf(namespace)}/${textOf(name)}`;
}

/** Returns a generated name without its random suffix. */
function beginning(name: string): string {
  return name.slice(0, -5);
}

/** Whether the server generated the value at the path: a name or an address. */
function isGenerated(path: string, real: string, simulated: string): boolean {
  if (/clusterIPs?(\[0\])?$/.test(path)) return true;
  const isName = /(^|\.)metadata\.name$|details\.name$|volumes\[\d+\]\.name$|volumeMounts\[\d+\]\.name$/.test(path);
  return (
    isName &&
    real.length === simulated.length &&
    real.length > 5 &&
    beginning(real) === beginning(simulated) &&
    /[-.]$/.test(beginning(real))
  );
}

type Pair<T> = readonly [T, T];

function inOneOrder(path: string, real: readonly Json[], simulated: readonly Json[]): Pair<readonly Json[]> {
  if (path.endsWith("details.causes")) return [ordered(real), ordered(simulated)];
  if (path.endsWith("metadata.managedFields") && !areOfOneTime(real, simulated)) return [byManager(real), byManager(simulated)];
  return [real, simulated];
}

/** Whether both lists have the same times. The server sorts managers by time, so other times can cause another order. */
function areOfOneTime(real: readonly Json[], simulated: readonly Json[]): boolean {
  const times = (entries: readonly Json[]): string => entries.map((entry) => (isObject(entry) ? textOf(entry["time"]) : "")).join();
  return times(real) === times(simulated);
}

function byManager(entries: readonly Json[]): readonly Json[] {
  const key = (entry: Json): string =>
    isObject(entry) ? ["operation", "manager", "subresource", "apiVersion"].map((name) => textOf(entry[name])).join() : "";
  return [...entries].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Sorts the causes and removes duplicates, because the server reports some causes twice. */
function ordered(items: readonly Json[]): readonly Json[] {
  const texts = new Map(
    items.map((item) => [
      isObject(item) ? `${textOf(item["field"])} ${textOf(item["reason"])} ${textOf(item["message"])}` : JSON.stringify(item),
      item,
    ]),
  );
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}

function brief(item: Json): Json {
  if (!isObject(item)) return item;
  return objectAt(item, "metadata")["name"] ?? item["field"] ?? item["name"] ?? item["manager"] ?? JSON.stringify(item).slice(0, 80);
}

function kindOf(path: string): DifferenceKind {
  if (path.includes("metadata.managedFields")) return "managedFields";
  return path.endsWith("resourceVersion") ? "version" : "content";
}
