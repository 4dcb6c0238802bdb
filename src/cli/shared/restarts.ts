/** State of the restarts that workloads request, by the condition `Rotated` of the classes that they use. */
import { RESTART_ANNOTATIONS } from "../../domain/annotations.ts";
import type { RolloutReason } from "../../domain/reasons.ts";
import { WINDOW_ADVICE } from "../../domain/schedule/restart-window.ts";
import type { RotatedCondition } from "../../domain/sync/status-fields.ts";

/** `halted`: a failed restart blocks all others in the namespace. `held`: someone must act first. `waiting`: it begins automatically. */
export type RestartStanding = "done" | "waiting" | "held" | "halted" | "unknown";

const STANDINGS: Readonly<Record<RolloutReason, RestartStanding>> = {
  Rotated: "done",
  Restarted: "waiting",
  Restarting: "waiting",
  Waiting: "waiting",
  AwaitingFiles: "waiting",
  WindowClosed: "waiting",
  DisruptionBudget: "waiting",
  DryRun: "held",
  RestartsPaused: "held",
  InvalidWindow: "held",
  RestartBlocked: "held",
  Paused: "held",
  Degraded: "held",
  OnDelete: "held",
  Partitioned: "held",
  NoVersions: "held",
  RolloutFailed: "halted",
  VersionsUnknown: "unknown",
};

/** Returns the state of a restart; `unknown` also for a reason that only another version of the worker knows. */
export function restartStanding({ reason }: RotatedCondition): RestartStanding {
  return Object.hasOwn(STANDINGS, reason) ? STANDINGS[reason] : "unknown";
}

const ADVICE: Partial<Readonly<Record<RolloutReason, string>>> = {
  RolloutFailed: `set a working value in the vault, or fix the workload; before kubectl rollout undo, set ${RESTART_ANNOTATIONS.paused} on the Namespace, because an undo alone lets the next restart begin: docs/runbooks/RolloutFailed.md`,
  RestartsPaused: `remove ${RESTART_ANNOTATIONS.paused}, or --restart-mode=paused, when restarts should begin`,
  InvalidWindow: WINDOW_ADVICE,
  RestartBlocked: "fix what rejects the restart, such as an admission webhook that is down: the worker retries every minute",
  DryRun: "set --restart-mode=act when restarts should begin",
  Paused: "resume it with kubectl rollout resume",
  Degraded: "fix, undo, or retry the update of the Rollout",
  OnDelete: "delete its pods, or use the update strategy RollingUpdate",
  Partitioned: "lower spec.updateStrategy.rollingUpdate.partition",
  NoVersions: "have the workload use a class that the worker syncs, or remove restart-on-rotation",
};

/** Returns the advice for a restart that does not begin automatically. */
export function restartAdvice({ reason }: RotatedCondition): string {
  return ADVICE[reason] ?? "check again in a minute; if it persists, see the worker's log";
}
