import { oldBefore } from "../../domain/rollout/old-before.ts";
import { isRestarted } from "../../domain/rollout/stamp.ts";
import type { Standing } from "../../domain/rollout/standing.ts";
import type { AskingWorkload } from "./asking.ts";
import { hasOldVersions } from "./await-files.ts";
import type { RolloutContext } from "./rollout-context.ts";

/**
 * Returns the workload, as `unawaited` if it still has pods with older versions. A workload that was not ready before its restart counts as
 * settled at once, but its pods with older versions may run for long, so the worker reports them.
 */
export async function withUnawaited(context: RolloutContext, each: AskingWorkload, signal: AbortSignal): Promise<AskingWorkload> {
  return mayHaveOldPods(each) ? { ...each, standing: await standingNow(context, each, signal) } : each;
}

/**
 * Whether the workload may have pods with older versions. This includes times when someone else replaces its pods: only the pods show
 * whether any is older than the versions.
 */
function mayHaveOldPods({ workload, versions, standing }: AskingWorkload): boolean {
  const isOfOurs = workload.templateStamp !== undefined && !isRestarted(workload);
  return standing.kind === "current" && isOfOurs && workload.progress.isRolling && versions.kind === "known";
}

async function standingNow(context: RolloutContext, each: AskingWorkload, signal: AbortSignal): Promise<Standing> {
  const { workload, versions, standing } = each;
  if (versions.kind !== "known") return standing;
  const before = { stamp: workload.templateStamp ?? "", ...oldBefore(workload, versions, undefined) };
  const has = await hasOldVersions(context, each, before, signal);
  if (typeof has === "string") return { kind: "unknown", why: has };
  return has ? { kind: "unawaited" } : standing;
}
