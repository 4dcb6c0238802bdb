import { countParts } from "../json-size.ts";
import type { KubeObject } from "../kubernetes.ts";
import type { OwnerKind } from "./owner-kinds.ts";
import { isOwnReference, type TlsEntry } from "./tls-entry.ts";
import { type TlsOwner, tlsOwner } from "./tls-owner.ts";

/** The Gateway API allows this number of listeners in a Gateway. */
export const MAX_ENTRIES = 64;

/** Maximum length of one owner in memory, in characters of JSON. 64 listeners with names of 63 characters take some 44,000. */
export const MAX_OWNER_CHARACTERS = 65_536;

/** Maximum number of values, lists, and mappings of one owner in memory. 64 listeners have some 1,500, and a few for each field manager. */
const MAX_OWNER_PARTS = 4_096;

/** The part of a Gateway or Ingress that the worker keeps in memory. */
export interface HeldOwner extends TlsOwner {
  /** Whether its entries are too many or too large, so that the worker keeps none of them. */
  readonly isTooLarge?: boolean;
}

/**
 * Returns the part of the object that the worker needs: entries that request a certificate, if the worker serves the class of the object,
 * and references that the worker may have written and must remove. Undefined if there is neither, as for most objects of a cluster.
 */
export function heldOwner(kind: OwnerKind, object: KubeObject, served: readonly string[]): HeldOwner | undefined {
  const owner = tlsOwner(kind, object);
  const isServed = served.includes(owner.className);
  const entries = owner.entries.filter((entry) => isOwnReference(entry) || (isServed && isAsking(entry))).map(heldEntry);
  if (entries.length === 0 && !owner.isOwnedByUs) return undefined;
  const held = { ...owner, className: isServed ? owner.className : "", entries };
  return isTooLarge(held) ? { ...held, entries: [], isTooLarge: true } : held;
}

/** Also true for an account without an address, so that the worker can warn the author. */
function isAsking({ address, account }: TlsEntry): boolean {
  return address !== undefined || account !== undefined;
}

/** Keeps the present references only if no wanted ones are known, because then the worker needs them to remove its own reference. */
function heldEntry(entry: TlsEntry): TlsEntry {
  const { reference } = entry;
  const isNeeded = isOwnReference(entry) && reference.wanted === undefined;
  return { ...entry, reference: { ...reference, present: isNeeded ? reference.present : [] } };
}

function isTooLarge(held: TlsOwner): boolean {
  if (held.entries.length > MAX_ENTRIES || countParts(held, MAX_OWNER_PARTS) > MAX_OWNER_PARTS) return true;
  return JSON.stringify(held).length > MAX_OWNER_CHARACTERS;
}
