import { assertNever } from "../../domain/assert-never.ts";
import { formatDuration } from "../../domain/duration.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import { isRestarted } from "../../domain/rollout/stamp.ts";
import { allowedMs, type Standing } from "../../domain/rollout/standing.ts";
import { hasOtherPods, proofOf, type StartedPod, startedPod, steadinessOf } from "../../domain/rollout/steadiness.ts";
import { titleOf, type Workload } from "../../domain/rollout/workload.ts";
import { attempt } from "./own-requests.ts";
import { type RolloutWriter, recordSettled } from "./rollout-write.ts";

export interface ProveInput extends RolloutWriter {
  /** Unix milliseconds. */
  readonly now: number;
  /** `--rollout-timeout`, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Whether a restart whose pods are all available is done: they have to be ready for a while, and their containers have to stay up. That it is
 * done is recorded on the workload: what happens to it later has nothing to do with these versions.
 */
export async function proveRestart(input: ProveInput, workload: Workload, signal: AbortSignal): Promise<Standing> {
  const { memory, now, timeoutMs } = input;
  const { templateStamp } = workload;
  if (templateStamp === undefined || !isRestarted(workload)) return { kind: "current" };
  const { namespace = "" } = workload.ref;
  const known = memory.of(workload);
  if (known.partitionedAt === workload.resourceVersion) return partitioned(templateStamp);
  const listed = await attempt(input, { workload, request: "list" }, () =>
    input.kube.list<StartedPod>(RESOURCES.pods, { namespace, labelSelector: workload.selector, keep: startedPod }, signal),
  );
  const isStalled = memory.stalledFor(workload, now) >= allowedMs(workload, timeoutMs);
  const title = titleOf(workload);
  if (!listed.ok) {
    const message = `${title}: all pods are available, and nobody can see whether they stay so: ${listed.error.why}`;
    return { kind: isStalled ? "failed" : "restarting", message, provenIn: listed.error.until - now };
  }
  const steadiness = memory.steadyByOurClock(workload, steadinessOf(listed.value, templateStamp), now);
  const proof = proofOf({ steadiness, now, timeoutMs, isStalled });
  switch (proof.kind) {
    case "done":
      if (workload.progress.heldBack > 0 && hasOtherPods(listed.value, templateStamp)) {
        known.partitionedAt = workload.resourceVersion;
        return partitioned(templateStamp);
      }
      // What does not let the record through costs its use alone.
      await attempt(input, { workload, request: "record" }, () => recordSettled(input, workload, signal));
      return { kind: "current" };
    case "failed": {
      const message = `${title}: its containers have restarted ${proof.restarts} times and do not stay up`;
      return { kind: "failed", message, provenIn: proof.left };
    }
    case "open": {
      const words = proof.restarts === 0 ? "" : `; its containers have restarted ${proof.restarts} times`;
      const message = `${title}: all pods are available, and have to stay so for ${formatDuration(proof.required)}${words}`;
      return { kind: "restarting", message, provenIn: proof.left };
    }
    default:
      return assertNever(proof);
  }
}

/** What could be replaced runs well. The restart stays open for the rest, which is known by its stamp and not by its age. */
function partitioned(stamp: string): Standing {
  return { kind: "obstructed", reason: "Partitioned", stamp, since: 0 };
}
