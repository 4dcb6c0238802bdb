import { POD_ANNOTATIONS } from "../annotations.ts";
import { type AgingPod, agingPod, isLive } from "./pod-age.ts";
import { stampIn } from "./stamp.ts";

/** The parts of a pod that show whether it stays up. */
export interface StartedPod extends AgingPod {
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly lastTransitionTime?: string }[];
    readonly containerStatuses?: readonly { readonly restartCount?: number }[];
  };
}

/** Returns the pod with only these parts. */
export function startedPod(pod: StartedPod): StartedPod {
  const { metadata, status, ...kind } = agingPod(pod);
  const { conditions = [], containerStatuses = [] } = pod.status ?? {};
  const stamp = stampIn(pod.metadata.annotations);
  return {
    ...kind,
    metadata: { ...metadata, ...(stamp === undefined ? {} : { annotations: { [POD_ANNOTATIONS.rotated]: stamp } }) },
    status: {
      ...status,
      conditions: conditions.filter(({ type }) => type === "Ready"),
      containerStatuses: containerStatuses.map(({ restartCount = 0 }) => ({ restartCount })),
    },
  };
}

/** State of the pods of a template: since when all have been ready, and their restarts. */
export interface Steadiness {
  /**
   * Unix milliseconds at which the last of them became ready, by the clock of its node if read from a pod. 0 if there are no pods.
   * Undefined while a pod is not ready; the workload's own status may not show that yet.
   */
  readonly since: number | undefined;
  /**
   * Restarts of the container that restarted most often. The pods are not older than their template, so these restarts happened with the
   * new versions.
   */
  readonly restarts: number;
}

export function steadinessOf(pods: readonly StartedPod[], templateStamp: string): Steadiness {
  const own = pods.filter((pod) => isLive(pod) && stampIn(pod.metadata.annotations) === templateStamp);
  const readySince = own.map(({ status }) => {
    const ready = status?.conditions?.find((condition) => condition.type === "Ready" && condition.status === "True");
    return Date.parse(ready?.lastTransitionTime ?? "");
  });
  const restarts = own.flatMap(({ status }) => (status?.containerStatuses ?? []).map(({ restartCount = 0 }) => restartCount));
  const since = readySince.some(Number.isNaN) ? undefined : Math.max(0, ...readySince);
  return { since, restarts: Math.max(0, ...restarts) };
}

/** Whether a pod of another template runs. */
export function hasOtherPods(pods: readonly StartedPod[], templateStamp: string): boolean {
  return pods.some((pod) => isLive(pod) && stampIn(pod.metadata.annotations) !== templateStamp);
}

/** A container that fails immediately does so within this time (milliseconds). */
const PROVING_MS = 10_000;

/**
 * Returns how long pods have to be ready before a restart counts as done (milliseconds). A container without a readiness probe is ready as
 * soon as it runs, even in a crash loop, so each of its restarts doubles the time. Half of the time that a restart may take remains for
 * becoming ready.
 */
export function provingMs(restarts: number, timeoutMs: number): number {
  const most = timeoutMs / 2;
  return Math.min(most, Math.min(most, PROVING_MS) * 2 ** restarts);
}

export interface ProofInput {
  readonly steadiness: Steadiness;
  /** Unix milliseconds. */
  readonly now: number;
  /** `--rollout-timeout`, milliseconds. */
  readonly timeoutMs: number;
  /** Whether the rollout made no progress for as long as it is allowed to. */
  readonly isStalled: boolean;
}

export type Proof =
  | { readonly kind: "done" }
  /** `left` of `required` milliseconds. */
  | { readonly kind: "open"; readonly restarts: number; readonly required: number; readonly left: number }
  | { readonly kind: "failed"; readonly restarts: number; readonly left: number };

/**
 * Determines whether pods that are all available stay available. Pods that are replaced without a crash, such as by node changes or an
 * autoscaler, do not hold up the result for long.
 */
export function proofOf({ steadiness: { since, restarts }, now, timeoutMs, isStalled }: ProofInput): Proof {
  const required = provingMs(restarts, timeoutMs);
  const left = since === undefined ? required : since + required - now;
  if (left <= 0 || (isStalled && restarts === 0)) return { kind: "done" };
  return isStalled ? { kind: "failed", restarts, left } : { kind: "open", restarts, required, left };
}
