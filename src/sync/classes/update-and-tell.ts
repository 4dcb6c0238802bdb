import type { ObjectRef } from "../../domain/kubernetes.ts";
import type { ClassStatus } from "../../domain/sync/class-status.ts";
import type { WorkerContext } from "../worker-context.ts";

export interface StatusUpdate {
  readonly ref: ObjectRef;
  /** The next status from the one that was told; undefined: it stays. */
  readonly change: (told: ClassStatus | undefined) => ClassStatus | undefined;
  /** Says what is new by event and log. */
  readonly tell: () => void;
}

/** Stores what the change makes of a status, and tells of it once where it is new. */
export async function updateAndTell(
  { statuses }: Pick<WorkerContext, "statuses">,
  { ref, change, tell }: StatusUpdate,
  signal: AbortSignal,
): Promise<void> {
  let isNew = false;
  const noting = (told: ClassStatus | undefined): ClassStatus | undefined => {
    const next = change(told);
    isNew = next !== undefined;
    return next;
  };
  try {
    await statuses.update(ref, noting, signal);
  } finally {
    // The next attempt, after a write that failed, changes nothing any more.
    if (isNew && !signal.aborted) tell();
  }
}
