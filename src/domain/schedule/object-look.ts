/**
 * Whether what was last seen of an object still holds, by the list of its vault. The list has no version ids, and its times have
 * whole seconds: two versions within one second look the same in it.
 */
import type { VaultErrorCode } from "../ports/vault-error.ts";
import type { ListedObject, VaultObject } from "../ports/vault-object.ts";

/** What a GET of the current version said. */
export type ObjectLook =
  | {
      readonly kind: "found";
      readonly version: string;
      /** Unix milliseconds; absent where nobody knows, as of what an earlier process saw. */
      readonly created?: number | undefined;
      /** Unix milliseconds, in whole seconds. */
      readonly updated: number | undefined;
      readonly expires: number | undefined;
      /** As the list says it. */
      readonly isEnabled: boolean;
      /** By our clock: when the look began. */
      readonly lookedAt: number;
      /** The second of the last change was over when the vault answered: another change has another time. */
      readonly isSettled: boolean;
    }
  | { readonly kind: "refused"; readonly code: ObjectState; readonly lookedAt: number };

/** Refusals that are the object's own state, and that the list shows. Any other may end without a trace. */
export type ObjectState = "NotFound" | "Disabled";

export function isObjectState(code: VaultErrorCode): code is ObjectState {
  return code === "NotFound" || code === "Disabled";
}

/** A list of a vault's objects of one kind, by name in lower case. */
export interface VaultListing {
  /** By our clock: when the first page was asked for. */
  readonly takenAt: number;
  readonly objects: ReadonlyMap<string, ListedObject>;
}

/** Room for the vault's machines, whose clocks differ a little, and for an answer that is dated after it was made (milliseconds). */
const SERVICE_MARGIN_MS = 5_000;

/** Between the vault's clock and ours: a sign-in fails where they are 5 minutes apart, and bears anything less. */
export const CLOCK_MARGIN_MS = 5 * 60_000 + SERVICE_MARGIN_MS;

/** Whether the second in which the object was last changed was over when it was looked at. */
export function isSettled({ updated, answered }: Pick<VaultObject, "updated" | "answered">, lookedAt: number): boolean {
  if (updated === undefined) return false;
  return answered === undefined ? lookedAt - updated >= CLOCK_MARGIN_MS : answered - updated >= SERVICE_MARGIN_MS;
}

/** True: the list says nothing that the look did not. */
export function stillHolds(look: ObjectLook, { takenAt, objects }: VaultListing, name: string): boolean {
  // Looked at since: the list is the older news.
  if (takenAt <= look.lookedAt) return true;
  const listed = objects.get(name.toLowerCase());
  if (look.kind === "found")
    return listed !== undefined && look.isSettled && listed.updated === look.updated && listed.isEnabled === look.isEnabled;
  return look.code === "NotFound" ? listed === undefined : listed?.isEnabled === false;
}
