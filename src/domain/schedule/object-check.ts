/**
 * Checks against a vault's list whether the last read of an object still holds. The list has no version ids, and its times have whole
 * seconds, so two versions within one second look the same in it.
 */
import type { VaultErrorCode } from "../ports/vault-error.ts";
import type { ListedObject, VaultObject } from "../ports/vault-object.ts";

/** Result of a GET of the current version. */
export type ObjectCheck =
  | {
      readonly kind: "found";
      readonly version: string;
      /** Unix milliseconds; absent if unknown, such as for results from an earlier process. */
      readonly created?: number | undefined;
      /** Unix milliseconds, in whole seconds. */
      readonly updated: number | undefined;
      readonly expires: number | undefined;
      /** As the list reports it. */
      readonly isEnabled: boolean;
      /** Start of the read, by the worker's clock. */
      readonly queriedAt: number;
      /** Whether the second of the last change was over when the vault answered. Then a later change has a different time. */
      readonly isSettled: boolean;
    }
  | { readonly kind: "refused"; readonly code: ObjectState; readonly queriedAt: number };

/** Refusals that reflect the object's own state, and that the list shows. Any other refusal can end without a trace in the list. */
export type ObjectState = "NotFound" | "Disabled";

export function isObjectState(code: VaultErrorCode): code is ObjectState {
  return code === "NotFound" || code === "Disabled";
}

/** A list of a vault's objects of one kind, by name in lower case. */
export interface VaultListing {
  /** Time of the request for the first page, by the worker's clock. */
  readonly takenAt: number;
  readonly objects: ReadonlyMap<string, ListedObject>;
}

/** Allowance for small clock differences between the vault's machines, and for answers dated after their creation (milliseconds). */
const SERVICE_MARGIN_MS = 5_000;

/**
 * Allowance between the vault's clock and the worker's. A sign-in fails if they are 5 minutes apart, and tolerates any smaller difference.
 */
export const CLOCK_MARGIN_MS = 5 * 60_000 + SERVICE_MARGIN_MS;

/** Whether the second of the object's last change was over at the time of the read. */
export function isSettled({ updated, answered }: Pick<VaultObject, "updated" | "answered">, queriedAt: number): boolean {
  if (updated === undefined) return false;
  return answered === undefined ? queriedAt - updated >= CLOCK_MARGIN_MS : answered - updated >= SERVICE_MARGIN_MS;
}

/** Whether the list confirms the last read. */
export function stillHolds(lastCheck: ObjectCheck, { takenAt, objects }: VaultListing, name: string): boolean {
  // The read is newer than the list.
  if (takenAt <= lastCheck.queriedAt) return true;
  const listed = objects.get(name.toLowerCase());
  if (lastCheck.kind === "found")
    return listed !== undefined && lastCheck.isSettled && listed.updated === lastCheck.updated && listed.isEnabled === lastCheck.isEnabled;
  return lastCheck.code === "NotFound" ? listed === undefined : listed?.isEnabled === false;
}
