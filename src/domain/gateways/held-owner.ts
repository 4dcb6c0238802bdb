import { countParts } from "../json-size.ts";
import type { KubeObject } from "../kubernetes.ts";
import type { OwnerKind } from "./owner-kinds.ts";
import { isOwnReference, type TlsEntry } from "./tls-entry.ts";
import { type TlsOwner, tlsOwner } from "./tls-owner.ts";

/** The Gateway API lets a Gateway have as many listeners. */
export const MAX_ENTRIES = 64;

/** Of what is held of one owner, as JSON. 64 listeners with names of 63 characters take some 44,000. */
export const MAX_OWNER_CHARACTERS = 65_536;

/** Values, lists and mappings of what is held of one owner: 64 listeners have some 1,500, and a few for each field manager. */
const MAX_OWNER_PARTS = 4_096;

/** A Gateway or Ingress as the worker holds it. */
export interface HeldOwner extends TlsOwner {
  /** Nothing is held of its entries, since they are too many or too large. */
  readonly isTooLarge?: boolean;
}

/**
 * What the worker has to know of the object: entries that ask for a certificate, if the object is of a class that is served, and references
 * that may be the worker's own and have to go. Undefined where there is nothing of the kind, as for most objects of a cluster.
 */
export function heldOwner(kind: OwnerKind, object: KubeObject, served: readonly string[]): HeldOwner | undefined {
  const owner = tlsOwner(kind, object);
  const isServed = served.includes(owner.className);
  const entries = owner.entries.filter((entry) => isOwnReference(entry) || (isServed && isAsking(entry))).map(heldEntry);
  if (entries.length === 0 && !owner.isOwnedByUs) return undefined;
  const held = { ...owner, className: isServed ? owner.className : "", entries };
  return isTooLarge(held) ? { ...held, entries: [], isTooLarge: true } : held;
}

/** An account without an address asks for nothing, which its author hears of. */
function isAsking({ address, account }: TlsEntry): boolean {
  return address !== undefined || account !== undefined;
}

/** What is there is needed to remove it alone, where nothing says what is wanted. */
function heldEntry(entry: TlsEntry): TlsEntry {
  const { reference } = entry;
  const isNeeded = isOwnReference(entry) && reference.wanted === undefined;
  return { ...entry, reference: { ...reference, present: isNeeded ? reference.present : [] } };
}

function isTooLarge(held: TlsOwner): boolean {
  if (held.entries.length > MAX_ENTRIES || countParts(held, MAX_OWNER_PARTS) > MAX_OWNER_PARTS) return true;
  return JSON.stringify(held).length > MAX_OWNER_CHARACTERS;
}
