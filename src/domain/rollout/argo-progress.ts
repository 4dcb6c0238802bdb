import { listAt, numberAt } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import type { Observed, Progress } from "./observed-progress.ts";

/**
 * Returns the progress of a Rollout of Argo Rollouts (`argoproj.io/v1alpha1`). Its controller judges the update by canary steps, analyses
 * and pauses that pod counts do not show, so only its `status.phase` (since 1.0) counts. The controller itself gives up an update
 * (`Degraded`), so the worker applies no timeout once the controller has seen the spec.
 */
export function argoProgress({ generation, spec, status }: Observed): Progress {
  const wanted = numberAt(spec, "replicas", 1);
  const [total, updated] = [numberAt(status, "replicas", 0), numberAt(status, "updatedReplicas", 0)];
  const available = numberAt(status, "availableReplicas", 0);
  const isObserved = hasSeen(status, generation);
  const phase = isObserved ? phaseOf(status) : "Progressing";
  const isComplete = phase === "Healthy";
  return {
    isComplete,
    isRolling: !isComplete,
    revision: `${generation}${isObserved ? "" : " unseen"}`,
    counts: { wanted, total, updated, available },
    heldBack: 0,
    summary: `${updated} of ${wanted} pods are updated, ${available} of ${total} are available, and its phase is ${phaseWords(phase, status)}`,
    isPastDeadline: phase === "Degraded",
    gaveUp: "Argo Rollouts has given up on the update",
    isPaused: phase === "Paused",
    ownDeadlineMs: isObserved ? Number.POSITIVE_INFINITY : 0,
  };
}

/**
 * Argo Rollouts gave up the update, or a user aborted it, and its pods may run well with the previous template. A stamp would retry the
 * failed one.
 */
export function isDegraded(status: JsonObject): boolean {
  return status["phase"] === "Degraded";
}

/** `observedGeneration` is a text with the generation in digits. Before 0.10 it was a hash, and there was no phase either. */
function hasSeen({ observedGeneration }: JsonObject, generation: number): boolean {
  return typeof observedGeneration === "string" && Number(observedGeneration) >= generation;
}

const PHASES = ["Healthy", "Degraded", "Progressing", "Paused"] as const;
type Phase = (typeof PHASES)[number];

function phaseOf(status: JsonObject): Phase {
  // A user has resumed the Rollout, and the controller has not seen that yet.
  if (status["controllerPause"] === true && listAt(status, "pauseConditions").length === 0) return "Progressing";
  return PHASES.find((phase) => phase === status["phase"]) ?? "Progressing";
}

/** Returns for example `Paused (CanaryPauseStep)`: the controller defines the reasons. */
function phaseWords(phase: Phase, status: JsonObject): string {
  const reasons = listAt(status, "pauseConditions").map(({ reason }) =>
    typeof reason === "string" && /^\w{1,40}$/.test(reason) ? reason : "",
  );
  const [reason = ""] = reasons;
  return phase === "Paused" && reason !== "" ? `${phase} (${reason})` : phase;
}
