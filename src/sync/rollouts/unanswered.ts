import type { KubeObject } from "../../domain/kubernetes.ts";
import { observeWorkload } from "../../domain/rollout/workload.ts";
import { WORKLOADS } from "../../domain/rollout/workload-kinds.ts";
import { findByName } from "../find-by-name.ts";
import type { AskingWorkload } from "./asking.ts";
import { attempt } from "./own-requests.ts";
import type { RolloutContext } from "./rollout-context.ts";

/**
 * Finds out whether a restart has begun whose request got no answer. The live copy does not show that while its watch is broken. Until
 * the API server has shown it, the restart counts as under way, so that no other one begins.
 */
export async function withUnanswered(context: RolloutContext, each: AskingWorkload, signal: AbortSignal): Promise<AskingWorkload> {
  const { memory, writer } = context;
  const { workload } = each;
  const { kind, ref, uid, resourceVersion: basedOn } = workload;
  const known = memory.of(workload);
  if (known.unansweredAt === undefined) return each;
  if (known.unansweredAt === basedOn) {
    const live = await attempt(writer, { workload, request: "ask" }, () =>
      findByName<KubeObject>(writer.kube, { resource: WORKLOADS[kind], ref }, signal),
    );
    if (!live.ok) return underWay(each);
    const observed = live.value === undefined ? undefined : observeWorkload(kind, live.value);
    if (observed?.uid === uid && observed.resourceVersion !== basedOn) {
      known.written = { basedOn, workload: observed };
      known.unansweredAt = undefined;
      return underWay(each);
    }
  }
  known.unansweredAt = undefined;
  return each;
}

/** Has the workload evaluated again soon, while it holds up the others. */
function underWay(each: AskingWorkload): AskingWorkload {
  return { ...each, standing: { kind: "settling", isUnfinished: true } };
}
