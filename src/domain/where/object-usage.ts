import type { ClassObject } from "../provider-class/object-rules.ts";
import { certaintyOf, type FoundUse, mountUses, secretUses } from "./container-usage.ts";
import { currentVersionOf, type Sighting } from "./current-version.ts";
import { type KeyVersion, keyVersionOf } from "./key-version.ts";
import { type ObjectReference, referenceKey } from "./object-reference.ts";
import { isVault, pinOf, type ReadClass } from "./read-class.ts";
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
  const { stated } = all;
  const current = currentVersionOf([
    ...all.secrets.flatMap(sightingsInSecret),
    ...all.uses.flatMap(sightingsInPod),
    ...stated.flatMap(sightingsInStatus),
  ]);
  const shown = naming.filter(({ spc }) => isShown(spc));
  const { secrets, uses } = shown.length === naming.length ? all : foundBy(snapshot, shown);
  const [{ spc: { vault = "" } = {}, entries: [first] = [] } = {}] = naming as readonly (Naming | undefined)[];
  const dates = [...all.secrets.flatMap(({ keys }) => keys), ...stated].flatMap(({ expires }) => expires ?? []);
  return {
    vault,
    type: first?.type ?? "secret",
    name: first?.name ?? "",
    current,
    expires: dates.length === 0 ? undefined : Math.min(...dates),
    classes: shown.map(({ spc, entries }) => ({
      namespace: spc.namespace,
      name: spc.name,
      files: entries.map(({ path }) => path),
      pins: entries.flatMap((entry) => pinOf(entry) ?? []),
    })),
    secrets: secrets.flatMap((secret) => secretUsages(secret, current)),
    containers: uses.map((use) => containerUsage(use, current)).sort(byPlace),
  };
}

interface FoundUsers {
  readonly secrets: readonly FoundSecret[];
  readonly uses: readonly FoundUse[];
  readonly stated: readonly StatedObject[];
}

function foundBy(snapshot: Snapshot, naming: readonly Naming[]): FoundUsers {
  const secrets = naming.flatMap(({ spc, entries }) => secretsOf(snapshot, spc, entries));
  const uses = [
    ...naming.flatMap(({ spc, entries }) => mountUses(snapshot, spc, entries)),
    ...secrets.flatMap(({ spc, name, keys }) => secretUses(snapshot, spc, name, keys)),
  ];
  return { secrets, uses, stated: naming.flatMap((each) => statedObjects(snapshot, each)) };
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

function sightingsInStatus({ held: { version }, since, updated }: StatedObject): readonly Sighting[] {
  const at = since ?? updated;
  return at === undefined ? [] : [{ version, at, updated }];
}

/** Returns the versions that a Secret got without a pinned version. An earlier place in a history does not show the newest version. */
function sightingsInSecret({ keys }: FoundSecret): readonly Sighting[] {
  return keys.flatMap(({ version, arrival, object, index, updated }) => {
    if (version === undefined || pinOf(object) !== undefined || (index ?? 0) > 0) return [];
    // A repair writes the existing version again. Then the vault's own time is closer to the time at which the version arrived.
    const at = arrival?.isExact === true ? arrival.at : (updated ?? arrival?.at);
    return at === undefined ? [] : [{ version, at, updated }];
  });
}

function sightingsInPod({ version, evidence, since, entries }: FoundUse): readonly Sighting[] {
  const isNewest = entries.every((entry) => pinOf(entry) === undefined);
  if (evidence !== "pod-status" || version === undefined || since === undefined || !isNewest) return [];
  return [{ version, at: since, updated: undefined }];
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

function containerUsage({ entries, certainty, ...use }: FoundUse, current: CurrentVersion | undefined): ContainerUsage {
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
