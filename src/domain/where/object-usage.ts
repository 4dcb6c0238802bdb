import type { ClassObject } from "../provider-class/object-rules.ts";
import { certaintyOf, type FoundUse, mountUses, secretUses } from "./container-usage.ts";
import type { Sighting } from "./current-version.ts";
import { type KeyVersion, keyVersionOf } from "./key-version.ts";
import { newestVersions } from "./newest-versions.ts";
import { type ObjectReference, referenceKey } from "./object-reference.ts";
import { isVault, pinOf, type ReadClass } from "./read-class.ts";
import { isNewestAsked, isOfPresentVault, sightingsInKey, sightingsInPod, sightingsInStatus } from "./sightings.ts";
import type { Snapshot } from "./snapshot.ts";
import type { StatedObject } from "./stored-versions.ts";
import type { ContainerUsage, CurrentVersion, Held, ObjectUsage, SecretUsage, VersionState } from "./usage.ts";

export type IsWanted = (vault: string, object: ObjectReference) => boolean;

/**
 * Returns all uses of the wanted objects: one entry for each object of each vault, sorted by vault, type, and name. The entries contain
 * only the shown classes and their users. The other classes only help to find the newest version.
 */
export function objectUsages(
  snapshot: Snapshot,
  isWanted: IsWanted,
  isShown: (spc: ReadClass) => boolean = () => true,
): readonly ObjectUsage[] {
  const naming = new Map<string, Naming[]>();
  for (const spc of snapshot.classes) {
    const wanted = spc.objects.filter((object) => isWanted(spc.vault, object));
    for (const [name, entries] of Map.groupBy(wanted, referenceKey)) {
      const key = `${spc.vault} ${name}`;
      naming.set(key, [...(naming.get(key) ?? []), { spc, entries }]);
    }
  }
  return [...naming]
    .filter(([, classes]) => classes.some(({ spc }) => isShown(spc)))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, classes]) => usageOf(snapshot, classes, isShown));
}

/** A class, and its entries that name the object. */
interface Naming {
  readonly spc: ReadClass;
  readonly entries: readonly ClassObject[];
}

interface FoundSecret {
  readonly spc: ReadClass;
  readonly name: string;
  readonly keys: readonly KeyVersion[];
}

function usageOf(snapshot: Snapshot, naming: readonly Naming[], isShown: (spc: ReadClass) => boolean): ObjectUsage {
  const all = foundBy(snapshot, naming);
  const sightings = sightingsByNamespace(naming, all);
  const confirmed = confirmedIn(snapshot, all);
  const newest = newestVersions(sightings, {
    byWorker: sightingsOfWorker(confirmed),
    byDriver: all.uses.filter(({ isConfirmed }) => isConfirmed).flatMap(sightingsInPod),
  });
  const shown = naming.filter(({ spc }) => isShown(spc));
  const { secrets, uses } = shown.length === naming.length ? all : foundBy(snapshot, shown);
  const [{ spc: { vault = "" } = {}, entries: [first] = [] } = {}] = naming as readonly (Naming | undefined)[];
  const [dates, confirmedDates] = [datesIn(all), datesIn(confirmed)];
  const believed = sightings.size === 1 || confirmedDates.length === 0 ? dates : confirmedDates;
  return {
    vault,
    type: first?.type ?? "secret",
    name: first?.name ?? "",
    current: newest.current,
    unconfirmed: newest.unconfirmed,
    expires: believed.length === 0 ? undefined : Math.min(...believed),
    classes: shown.map(({ spc, entries }) => ({
      namespace: spc.namespace,
      name: spc.name,
      files: entries.map(({ path }) => path),
      pins: entries.flatMap((entry) => pinOf(entry) ?? []),
    })),
    secrets: secrets.flatMap((secret) => secretUsages(secret, newest.within(secret.spc.namespace))),
    containers: uses.map((use) => containerUsage(use, newest.within(use.namespace))).sort(byPlace),
  };
}

interface FoundUsers {
  readonly secrets: readonly FoundSecret[];
  readonly uses: readonly FoundUse[];
  readonly stated: readonly { readonly namespace: string; readonly objects: readonly StatedObject[] }[];
}

function foundBy(snapshot: Snapshot, naming: readonly Naming[]): FoundUsers {
  const secrets = naming.flatMap(({ spc, entries }) => secretsOf(snapshot, spc, entries));
  const uses = [
    ...naming.flatMap(({ spc, entries }) => mountUses(snapshot, spc, entries)),
    ...secrets.flatMap(({ spc, name, keys }) => secretUses(snapshot, spc, name, keys)),
  ];
  const stated = naming.map((each) => ({ namespace: each.spc.namespace, objects: statedObjects(snapshot, each) }));
  return { secrets, uses, stated };
}

function sightingsByNamespace(naming: readonly Naming[], { secrets, uses, stated }: FoundUsers): ReadonlyMap<string, readonly Sighting[]> {
  const found = new Map(naming.map(({ spc }): [string, Sighting[]] => [spc.namespace, []]));
  for (const { spc, keys } of secrets) found.get(spc.namespace)?.push(...keys.flatMap(sightingsInKey));
  for (const use of uses) found.get(use.namespace)?.push(...sightingsInPod(use));
  for (const { namespace, objects } of stated) found.get(namespace)?.push(...objects.flatMap(sightingsInStatus));
  return found;
}

type Dated = Pick<FoundUsers, "stated"> & { readonly secrets: readonly Pick<FoundSecret, "keys">[] };

/** Returns the keys and objects whose versions the worker read in the vault that their class names now. */
function confirmedIn(snapshot: Snapshot, { secrets, stated }: FoundUsers): Dated {
  const confirmed = secrets.map(({ spc, keys }) => {
    const status = snapshot.classStatus(spc.namespace, spc.name);
    return { keys: keys.filter((key) => status && key.stated && isOfPresentVault(spc, status, key.stated)) };
  });
  return { secrets: confirmed, stated };
}

function sightingsOfWorker({ secrets, stated }: Dated): readonly Sighting[] {
  const inKeys = secrets.flatMap(({ keys }) => keys.filter(isNewestAsked).flatMap((key) => key.stated ?? []));
  return [...inKeys, ...stated.flatMap(({ objects }) => objects)].flatMap(sightingsInStatus);
}

function datesIn({ secrets, stated }: Dated): readonly number[] {
  return [...secrets.flatMap(({ keys }) => keys), ...stated.flatMap(({ objects }) => objects)].flatMap(({ expires }) => expires ?? []);
}

function secretsOf(snapshot: Snapshot, spc: ReadClass, entries: readonly ClassObject[]): readonly FoundSecret[] {
  return spc.secrets.flatMap(({ name, keys }) => {
    const ofObject = keys.filter(({ object }) => entries.includes(object));
    return ofObject.length === 0 ? [] : [{ spc, name, keys: ofObject.map((key) => keyVersionOf(snapshot, spc, name, key)) }];
  });
}

/**
 * Returns the worker's information about an object of a class without Secrets. If the class pins a version, the status does not show which
 * entry it is about. Until the worker has reconciled an edit, the object may be in another vault.
 */
function statedObjects(snapshot: Snapshot, { spc, entries }: Naming): readonly StatedObject[] {
  if (entries.some((entry) => pinOf(entry) !== undefined)) return [];
  const names = new Set(entries.map(referenceKey));
  const { objects = [] } = snapshot.classStatus(spc.namespace, spc.name) ?? {};
  const isSame = ({ vault }: StatedObject): boolean => vault !== undefined && isVault(vault, spc.vault);
  return objects.filter((stated) => names.has(referenceKey(stated.held)) && (stated.held.index ?? 0) === 0 && isSame(stated));
}

/** Returns one entry for each version of the object in the Secret. */
function secretUsages({ spc, name, keys }: FoundSecret, current: CurrentVersion | undefined): readonly SecretUsage[] {
  return [...Map.groupBy(keys, ({ version, object, index }) => `${version ?? ""} ${pinOf(object) ?? ""} ${index ?? ""}`).values()].flatMap(
    (those) => {
      const [first] = those;
      if (first === undefined) return [];
      const { version, evidence, why, arrival } = first;
      const found = { version, evidence, since: arrival?.at, ...(why === undefined ? {} : { why }) };
      const usage = { namespace: spc.namespace, name, className: spc.name, keys: those.map(({ key }) => key) };
      return [{ ...usage, ...found, state: stateOf({ version, entries: [first.object], ...certaintyOf(first) }, current) }];
    },
  );
}

function containerUsage(found: FoundUse, current: CurrentVersion | undefined): ContainerUsage {
  const { entries, certainty, isConfirmed: _, ...use } = found;
  return { ...use, state: stateOf({ version: use.version, entries, ...(certainty === undefined ? {} : { certainty }) }, current) };
}

const STATES = { older: "old", "not-running": "not-running", asked: "pinned" } as const satisfies Record<string, VersionState>;

type Judged = Pick<Held, "version"> & Pick<FoundUse, "entries" | "certainty">;

function stateOf({ version, entries, certainty }: Judged, current: CurrentVersion | undefined): VersionState {
  if (certainty !== undefined) return STATES[certainty];
  if (version === undefined) return "unknown";
  const pins = entries.flatMap((entry) => pinOf(entry) ?? []);
  if (pins.includes(version)) return "pinned";
  if (pins.length === entries.length) return "old";
  if (current === undefined) return "unknown";
  return current.version === version ? "current" : "old";
}

function byPlace(a: ContainerUsage, b: ContainerUsage): number {
  const [one, other] = [a, b].map(({ namespace, pod, container = "", via, from }) => [namespace, pod, container, via, from].join("\0"));
  return (one ?? "") < (other ?? "") ? -1 : 1;
}
