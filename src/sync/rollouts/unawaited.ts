import { oldBefore } from "../../domain/rollout/old-before.ts";
import { isRestarted } from "../../domain/rollout/stamp.ts";
import type { Standing } from "../../domain/rollout/standing.ts";
import type { AskingWorkload } from "./asking.ts";
import { hasOldVersions } from "./await-files.ts";
import type { RolloutContext } from "./rollout-context.ts";

/** What was not ready before its restart counts as settled at once. Its pods with older versions may serve on for long: that is said. */
export async function withUnawaited(context: RolloutContext, each: AskingWorkload, signal: AbortSignal): Promise<AskingWorkload> {
  return mayHaveOldPods(each) ? { ...each, standing: await standingNow(context, each, signal) } : each;
}

/** Also while somebody else replaces its pods: whether any is older than the versions, pods alone tell. */
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
