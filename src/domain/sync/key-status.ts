import type { ObjectFile } from "../content/object-file.ts";
import type { SyncReason } from "../reasons.ts";
import type { KeyStatus, SecretStatus } from "./status-fields.ts";
import { rfc3339 } from "./stored-time.ts";

/** A key whose object the vault gave. */
export function givenKey(key: string, { objectId, version, updated, expires, notBefore }: ObjectFile): KeyStatus {
  return {
    key,
    object: objectId,
    version,
    ...keyDates({ updated, expires, notBefore }),
  };
}

/** Unix milliseconds. */
export interface ObjectTimes {
  readonly updated?: number | undefined;
  readonly expires?: number | undefined;
  readonly notBefore?: number | undefined;
}

/** An object's times as the status has them. */
export function keyDates({ updated, expires, notBefore }: ObjectTimes): Pick<KeyStatus, "updated" | "expires" | "notBefore"> {
  return {
    ...(updated === undefined ? {} : { updated: rfc3339(updated) }),
    ...(expires === undefined ? {} : { expires: rfc3339(expires) }),
    ...(notBefore === undefined ? {} : { notBefore: rfc3339(notBefore) }),
  };
}

/**
 * The keys of a Secret that could not be written: what it holds, as the stored status has it, and of each key why it is not what the
 * vault has. A Secret is written as a whole or not at all, so that a certificate never stands beside the key of another.
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
    // A key may be made of two versions of one object: in their order. Of more than are asked for the first ones count.
    const held = heldUnder.get(place)?.[nth] ?? heldUnder.get(place)?.[0];
    const { key, object = held?.object, state, message } = wanted;
    const kept = keptOf(key, object, held);
    if (state !== undefined) return { ...kept, state, ...(message === undefined ? {} : { message }) };
    if (held?.version === wanted.version) return kept;
    return { ...kept, state: "PartialSync", message: "held back until the Secret's other objects are available" };
  });
}

/** Of a key, whatever object it is made from, or of the key as it is made from that object. */
function placeOf(key: string, object?: string): string {
  return JSON.stringify([key, object]);
}

/** The Secrets of a class of which nothing could be learnt: they hold what they held. */
export function heldSecrets(names: readonly string[], stored: readonly SecretStatus[], reason: SyncReason): readonly SecretStatus[] {
  const heldIn = Map.groupBy(stored, ({ name }) => name);
  return names.map((name) => {
    const { data = [], specHash } = heldIn.get(name)?.[0] ?? {};
    const keys = data.map((key) => ({ ...keptOf(key.key, key.object, key), state: reason }));
    return { name, state: reason, ...(specHash === undefined ? {} : { specHash }), data: keys };
  });
}

/** What the Secret holds under a key, without a word on how that stands. */
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
