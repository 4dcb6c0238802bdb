import type { ObjectRef } from "../../domain/kubernetes.ts";
import { hasRotated, withoutRotated } from "../../domain/sync/rotated-condition.ts";
import type { StatusStore } from "./status-store.ts";

/** Takes the condition `Rotated` from the class's status: nobody who uses the class asks for restarts, or nobody restarts. */
export async function dropRotated(statuses: StatusStore, ref: ObjectRef, signal: AbortSignal): Promise<void> {
  if (!hasRotated(statuses.get(ref))) return;
  await statuses.update(ref, (told) => (hasRotated(told) ? withoutRotated(told) : undefined), signal);
}
