import { SYNC_REASONS, type SyncReason } from "../reasons.ts";
import { type ClassStatus, conditionOf } from "./class-status.ts";

/**
 * How many classes say each reason: that of `Synced` for every class, and besides it `Stale` and `GuardrailsMissing` where another
 * condition of the class says so.
 */
export function countByReason(statuses: readonly (ClassStatus | undefined)[]): ReadonlyMap<SyncReason, number> {
  const counts = new Map<SyncReason, number>(SYNC_REASONS.map((reason) => [reason, 0]));
  const add = (reason: SyncReason): void => void counts.set(reason, (counts.get(reason) ?? 0) + 1);
  for (const status of statuses) {
    const synced = conditionOf(status, "Synced");
    if (synced !== undefined) add(synced.reason);
    if (conditionOf(status, "Fresh")?.reason === "Stale") add("Stale");
    if (conditionOf(status, "Guarded")?.status === "False") add("GuardrailsMissing");
  }
  return counts;
}
