import { refOf } from "../../domain/object-key.ts";
import { isRestarted } from "../../domain/rollout/stamp.ts";
import { allowedMs, rejectionIn } from "../../domain/rollout/standing.ts";
import type { Workload } from "../../domain/rollout/workload.ts";
import { failureIn, rotatedIn } from "../../domain/sync/rotated-condition.ts";
import type { RolloutCaches } from "./rollout-context.ts";
import { adoptedUntil, type UnderWayInput } from "./under-way.ts";

/** Returns why the restart of the workload has failed, according to the last report of a leader; undefined if it has not. */
type ReportedFailure = (workload: Workload) => string | undefined;

/** Reads the conditions of the namespace's classes once, and only if they are needed. */
export function reportedFailures({ classes, statuses }: Pick<RolloutCaches, "classes" | "statuses">, namespace: string): ReportedFailure {
  let conditions: readonly ReturnType<typeof rotatedIn>[] | undefined;
  return (workload) => {
    conditions ??= classes.list().flatMap((provider) => {
      return provider.metadata.namespace === namespace ? [rotatedIn(statuses.get(refOf(provider)))] : [];
    });
    return conditions.map((condition) => failureIn(condition, workload)).find((why) => why !== undefined);
  };
}

/**
 * Takes over what an earlier leader left of a workload. Stamps show which restarts were under way, but not for how long, and a new leader
 * has seen none of them stand still. The conditions of the classes show which had failed: such a restart has failed until it makes
 * progress, or until the API server accepts it. Pods that become available again are not progress, because they may be in a crash loop.
 */
export function adopt({ memory, now, timeoutMs }: UnderWayInput, workload: Workload, failure: ReportedFailure): void {
  if (now >= adoptedUntil(memory, timeoutMs)) return;
  const known = memory.of(workload);
  if (!known.isAdopted) known.rejected = rejectionIn(failure(workload));
  known.isAdopted = true;
  const { templateStamp: stamp } = workload;
  if (known.begun !== undefined || stamp === undefined || !isRestarted(workload)) return;
  const allowed = allowedMs(workload, timeoutMs);
  const hasFailed = Number.isFinite(allowed) && failure(workload) !== undefined;
  known.begun = { stamp, at: now, adopted: { counts: workload.progress.counts, hasFailed } };
  if (hasFailed) memory.noteStalled(workload, now - allowed);
}
