/** Sightings of versions in Secrets, statuses, and pods, and which of them no user of the namespace can have made up. */
import type { FoundUse } from "./container-usage.ts";
import type { Sighting } from "./current-version.ts";
import type { KeyVersion } from "./key-version.ts";
import { isUneditedSince, pinOf, type ReadClass } from "./read-class.ts";
import type { StatedClass, StatedVersion } from "./stored-versions.ts";

export function sightingsInStatus({ held: { version }, since, updated }: StatedVersion): readonly Sighting[] {
  const at = since ?? updated;
  return at === undefined ? [] : [{ version, at, updated }];
}

/** Returns the version that a Secret got under a key without a pinned version. */
export function sightingsInKey(key: KeyVersion): readonly Sighting[] {
  const { version, arrival, updated } = key;
  if (version === undefined || !isNewestAsked(key)) return [];
  // A repair writes the existing version again. Then the vault's own time is closer to the time at which the version arrived.
  const at = arrival?.isExact === true ? arrival.at : (updated ?? arrival?.at);
  return at === undefined ? [] : [{ version, at, updated }];
}

/** Whether the key follows the newest version. An earlier place in a history does not show the newest version. */
export function isNewestAsked({ object, index }: Pick<KeyVersion, "object" | "index">): boolean {
  return pinOf(object) === undefined && (index ?? 0) === 0;
}

export function sightingsInPod({ version, evidence, since, entries }: FoundUse): readonly Sighting[] {
  const isNewest = entries.every((entry) => pinOf(entry) === undefined);
  if (evidence !== "pod-status" || version === undefined || since === undefined || !isNewest) return [];
  return [{ version, at: since, updated: undefined }];
}

/**
 * Whether the status of a class tells the version in the vault that the class names now. After an edit, it may be of the former vault. The
 * status of an earlier class can outlive it.
 */
export function isOfPresentVault(spc: ReadClass, status: StatedClass, { isHeld }: Pick<StatedVersion, "isHeld">): boolean {
  if (isUneditedSince(spc, status.createdAt)) return true;
  const isEarlier = status.createdAt !== undefined && spc.createdAt !== undefined && status.createdAt < spc.createdAt;
  return !isEarlier && !isHeld && status.observedGeneration === spc.generation;
}
