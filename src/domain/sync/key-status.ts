import type { ObjectFile } from "../content/object-file.ts";
import type { SyncReason } from "../reasons.ts";
import type { KeyStatus, SecretStatus } from "./status-fields.ts";
import { rfc3339 } from "./stored-time.ts";

/** Returns the status of a key whose object the vault returned. */
export function givenKey(key: string, { objectId, version, updated, expires, notBefore }: ObjectFile): KeyStatus {
  return {
    key,
    object: objectId,
    version,
    ...keyDates({ updated, expires, notBefore }),
  };
}

/** Times in Unix milliseconds. */
export interface ObjectTimes {
  readonly updated?: number | undefined;
  readonly expires?: number | undefined;
  readonly notBefore?: number | undefined;
}

/** Returns an object's times in the form of the status. */
export function keyDates({ updated, expires, notBefore }: ObjectTimes): Pick<KeyStatus, "updated" | "expires" | "notBefore"> {
  return {
    ...(updated === undefined ? {} : { updated: rfc3339(updated) }),
    ...(expires === undefined ? {} : { expires: rfc3339(expires) }),
    ...(notBefore === undefined ? {} : { notBefore: rfc3339(notBefore) }),
  };
}

/**
 * Returns the keys of a Secret that could not be written: the content that the Secret still has, as in the stored status, and for each key
 * why it differs from the vault. The worker writes a Secret as a whole or not at all, so that a certificate is never combined with the key
 * of another certificate.
 */
export function heldKeys(found: readonly KeyStatus[], stored: readonly KeyStatus[]): readonly KeyStatus[] {
  const heldUnder = new Map<string, KeyStatus[]>();
  for (const held of stored)
    for (const place of new Set([placeOf(held.key), placeOf(held.key, held.object)])) {
      const known = heldUnder.get(place);
      if (known === undefined) heldUnder.set(place, [held]);
      else known.push(held);
    }
  const asked = new Map<string, number>();
  return found.map((wanted) => {
    const place = placeOf(wanted.key, wanted.object);
    const nth = asked.get(place) ?? 0;
    asked.set(place, nth + 1);
    // A key can be made from two versions of one object, matched in their order. If the stored status has fewer, the first one counts.
    const held = heldUnder.get(place)?.[nth] ?? heldUnder.get(place)?.[0];
    const { key, object = held?.object, state, message } = wanted;
    const kept = keptOf(key, object, held);
    if (state !== undefined) return { ...kept, state, ...(message === undefined ? {} : { message }) };
    if (held?.version === wanted.version) return kept;
    return { ...kept, state: "PartialSync", message: "held back until the Secret's other objects are available" };
  });
}

/** Returns an index key for a key with any object, or for a key with that object. */
function placeOf(key: string, object?: string): string {
  return JSON.stringify([key, object]);
}

/** Returns the statuses of Secrets about which the worker learned nothing: the keys keep their stored versions. */
export function heldSecrets(names: readonly string[], stored: readonly SecretStatus[], reason: SyncReason): readonly SecretStatus[] {
  const heldIn = Map.groupBy(stored, ({ name }) => name);
  return names.map((name) => {
    const { data = [], specHash } = heldIn.get(name)?.[0] ?? {};
    const keys = data.map((key) => ({ ...keptOf(key.key, key.object, key), state: reason }));
    return { name, state: reason, ...(specHash === undefined ? {} : { specHash }), data: keys };
  });
}

/** Returns the content that the Secret has under a key, without state and message. */
function keptOf(key: string, object: string | undefined, held: KeyStatus | undefined): KeyStatus {
  const { version, updated, expires, notBefore } = held ?? {};
  return {
    key,
    ...(object === undefined ? {} : { object }),
    ...(version === undefined ? {} : { version }),
    ...(updated === undefined ? {} : { updated }),
    ...(expires === undefined ? {} : { expires }),
    ...(notBefore === undefined ? {} : { notBefore }),
  };
}
