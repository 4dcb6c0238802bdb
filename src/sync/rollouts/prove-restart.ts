import { assertNever } from "../../domain/assert-never.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { Result } from "../../domain/result.ts";
import { isRestarted } from "../../domain/rollout/stamp.ts";
import { allowedMs, type Standing } from "../../domain/rollout/standing.ts";
import { hasOtherPods, proofOf, type StartedPod, startedPod, steadinessOf } from "../../domain/rollout/steadiness.ts";
import type { Workload } from "../../domain/rollout/workload.ts";
import { attempt, isPutOff } from "./own-requests.ts";
import type { Trouble } from "./rollout-memory.ts";
import { type RolloutWriter, recordSettled } from "./rollout-write.ts";

export interface ProveInput extends RolloutWriter {
  /** Unix milliseconds. */
  readonly now: number;
  /** `--rollout-timeout`, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Decides whether a restart whose pods are all available is done: the pods must have been ready for a while, and their containers must keep
 * running. Records on the workload that the restart is done, because later problems of the workload have nothing to do with these versions.
 */
export async function proveRestart(input: ProveInput, workload: Workload, signal: AbortSignal): Promise<Standing> {
  const { templateStamp: stamp, resourceVersion: at } = workload;
  if (stamp === undefined || !isRestarted(workload)) return { kind: "current" };
  const known = input.memory.of(workload);
  const before = known.proof?.stamp === stamp ? known.proof : undefined;
  if (before?.at === at && before.standing.kind === "obstructed") return before.standing;
  const { namespace = "" } = workload.ref;
  const listed = await attempt(input, { workload, request: "list" }, () =>
    input.kube.list<StartedPod>(RESOURCES.pods, { namespace, labelSelector: workload.selector, keep: startedPod }, signal),
  );
  // Keep the standing as of the last pod list. This list was put off for other workloads, which shows nothing about these pods.
  if (!listed.ok && isPutOff(listed.error)) return before?.standing ?? { kind: "restarting" };
  const standing = await standingBy(input, { listed, workload, stamp }, signal);
  known.proof = { stamp, at, standing };
  return standing;
}

interface Restarted {
  readonly listed: Result<readonly StartedPod[], Trouble>;
  readonly workload: Workload;
  /** Stamp of its pod template. */
  readonly stamp: string;
}

async function standingBy(input: ProveInput, { listed, workload, stamp }: Restarted, signal: AbortSignal): Promise<Standing> {
  const { memory, now, timeoutMs } = input;
  const isStalled = memory.stalledFor(workload, now) >= allowedMs(workload, timeoutMs);
  if (!listed.ok) {
    const provenIn = listed.error.until - now;
    const why = `all pods are available, but the worker cannot check whether they stay available: ${listed.error.why}`;
    return isStalled ? { kind: "failed", why, provenIn } : { kind: "restarting", provenIn };
  }
  const steadiness = memory.steadyByOurClock(workload, steadinessOf(listed.value, stamp), now);
  // This process has not seen for how long the pods of a restart that failed under an earlier leader have been ready.
  const isToProve = steadiness.restarts === 0 && memory.inherited(workload)?.hasFailed === true;
  const proof = proofOf({ steadiness, now, timeoutMs, isStalled: isStalled && !isToProve });
  switch (proof.kind) {
    case "done":
      // The replaced pods run well. The restart stays open for the remaining pods, which the worker recognizes by their stamp and not by
      // their age.
      if (workload.progress.heldBack > 0 && hasOtherPods(listed.value, stamp))
        return { kind: "obstructed", reason: "Partitioned", stamp, since: 0 };
      // If the API server rejects the record, only the record is missing.
      await attempt(input, { workload, request: "record" }, () => recordSettled(input, workload, signal));
      return { kind: "current" };
    case "failed": {
      const why = `its containers have restarted ${proof.restarts} times and do not keep running`;
      return { kind: "failed", why, provenIn: proof.left };
    }
    case "open":
      return { kind: "restarting", provenIn: proof.left };
    default:
      return assertNever(proof);
  }
}
