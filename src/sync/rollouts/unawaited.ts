import { oldBefore } from "../../domain/rollout/old-before.ts";
import { isRestarted } from "../../domain/rollout/stamp.ts";
import type { Standing } from "../../domain/rollout/standing.ts";
import { titleOf, type Workload } from "../../domain/rollout/workload.ts";
import { hasOldVersions, unseen } from "./await-files.ts";
import { attempt } from "./own-requests.ts";
import type { Asking, RolloutContext } from "./rollout-namespace.ts";

/** What was not ready before its restart counts as settled at once. Its pods with older versions may serve on for long: that is said. */
export async function withUnawaited(context: RolloutContext, judged: readonly Asking[], signal: AbortSignal): Promise<readonly Asking[]> {
  const asking: Asking[] = [];
  for (const each of judged) asking.push(mayHaveOldPods(each) ? { ...each, standing: await standingNow(context, each, signal) } : each);
  return asking;
}

export function unawaited(workload: Workload): Standing {
  const message = `${titleOf(workload)}: ${workload.progress.summary}; it was not ready before its restart, and no other workload waits for it`;
  return { kind: "unawaited", message };
}

/** Also while somebody else replaces its pods: whether any is older than the versions, pods alone tell. */
function mayHaveOldPods({ workload, versions, standing }: Asking): boolean {
  const isOfOurs = workload.templateStamp !== undefined && !isRestarted(workload);
  return standing.kind === "current" && isOfOurs && workload.progress.isRolling && versions.kind === "known";
}

async function standingNow(context: RolloutContext, each: Asking, signal: AbortSignal): Promise<Standing> {
  const { workload, versions, standing } = each;
  if (versions.kind !== "known") return standing;
  const before = { stamp: workload.templateStamp ?? "", ...oldBefore(workload, versions, undefined) };
  const seen = await attempt(context.writer, { workload, request: "list" }, () => hasOldVersions(context, each, before, signal));
  if (!seen.ok) return { kind: "unknown", why: unseen(seen.error) };
  if (typeof seen.value === "string") return { kind: "unknown", why: seen.value };
  return seen.value ? unawaited(workload) : standing;
}
