import type { ObjectRef } from "../../domain/kubernetes.ts";
import { hasRotated, withoutRotated } from "../../domain/sync/rotated-condition.ts";
import type { StatusStore } from "./status-store.ts";

/**
 * Removes the condition `Rotated` from the class's status. Call it if no workload that uses the class requests restarts, or if the worker
 * does not restart workloads.
 */
export async function dropRotated(statuses: StatusStore, ref: ObjectRef, signal: AbortSignal): Promise<void> {
  if (!hasRotated(statuses.get(ref))) return;
  await statuses.update(ref, (reported) => (hasRotated(reported) ? withoutRotated(reported) : undefined), signal);
}
