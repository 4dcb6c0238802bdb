import { formatDuration } from "../duration.ts";
import type { Hold } from "./hold.ts";
import { type OldBefore, oldBefore } from "./old-before.ts";
import { hasStamp, isRestarted } from "./stamp.ts";
import type { Versions } from "./versions.ts";
import type { Obstacle, Workload } from "./workload.ts";

/** State of a workload that requests restarts. */
export type Standing =
  /** Its pods have the current versions. */
  | { readonly kind: "current" }
  /** Restarted for the current versions, and not ready yet, or not for long enough. `provenIn`: remaining milliseconds. */
  | { readonly kind: "restarting"; readonly provenIn?: number }
  /** The same, for longer than allowed. `why` does not name the workload. */
  | { readonly kind: "failed"; readonly why: string; readonly provenIn?: number }
  /**
   * Needs a restart, unless its pods turn out to be younger than the versions. `rejected`: why the API server or a policy rejected this
   * restart, if it did and others wait for the restart.
   */
  | ({ readonly kind: "due"; readonly stamp: string; readonly turn: Turn; readonly rejected?: string } & OldBefore)
  /** Needs a restart once the driver has updated the files of its pods, or at `until` (Unix milliseconds; undefined: never). */
  | { readonly kind: "awaitingFiles"; readonly isUnfinished: boolean; readonly message: string; readonly until: number | undefined }
  /** Due, but something keeps its restart from beginning. */
  | { readonly kind: "held"; readonly stamp: string; readonly since: number; readonly turn: Turn; readonly hold: Hold }
  /** Restarted although it was not ready before, and pods with older versions still exist. No other workload waits for it. */
  | { readonly kind: "unawaited" }
  /** Someone else is replacing its pods. Afterwards, the remaining pods determine whether it is due. */
  | { readonly kind: "rolling" }
  | ({ readonly kind: "obstructed"; readonly reason: Obstacle; readonly stamp: string } & OldBefore)
  | { readonly kind: "unknown"; readonly why: string }
  /** Its versions have just changed, and may change again. `isUnfinished`: whether its last restart has not been proven successful. */
  | { readonly kind: "settling"; readonly isUnfinished: boolean }
  | { readonly kind: "noVersions"; readonly why: string };

/**
 * Order of restarts. A workload with an unfinished restart is already disturbed. A workload that did not run well before shows nothing
 * about the new versions, so it neither waits for others nor holds them up.
 */
export type Turn = "unfinished" | "ready" | "unready";

/** A workload, and how long its rollout has made no progress. */
interface Restarting {
  readonly workload: Workload;
  /** Milliseconds since its progress last changed. */
  readonly stalledMs: number;
  /** `--rollout-timeout`, milliseconds. */
  readonly timeoutMs: number;
}

export interface StandingInput extends Restarting {
  readonly versions: Versions;
  /** Hash of the versions; meaningful only if they are known. */
  readonly stamp: string;
  /** Hash of the versions in Secrets alone, if the workload also mounts others. */
  readonly mirroredStamp?: string | undefined;
}

export function standingOf(input: StandingInput): Standing {
  const { workload, versions, stamp } = input;
  if (versions.kind !== "known") return failedBefore(input) ?? withoutVersions(versions);
  if (hasStamp(workload, stamp)) return afterRestart(input);
  const old = oldBefore(workload, versions, input.mirroredStamp);
  if (workload.obstacle !== undefined) return { kind: "obstructed", reason: workload.obstacle, stamp, ...old };
  const turn = turnOf(workload);
  if (turn === "unready" && isMoving(input)) return { kind: "rolling" };
  return { kind: "due", stamp, turn, ...old };
}

/** A failed restart stays failed, even if its versions are no longer current. */
function failedBefore(input: StandingInput): Standing | undefined {
  const standing = isRestarted(input.workload) ? afterRestart(input) : undefined;
  return standing?.kind === "failed" ? standing : undefined;
}

function withoutVersions(versions: Exclude<Versions, { readonly kind: "known" }>): Standing {
  return versions.kind === "none" ? { kind: "noVersions", why: versions.why } : versions;
}

/** Returns the standing of a workload whose pods have the versions, or will have them after its restart. */
export function afterRestart(input: Restarting): Standing {
  const { workload } = input;
  const { progress } = workload;
  if (progress.isComplete || !isRestarted(workload)) return { kind: "current" };
  if (!progress.isPastDeadline && !isStalled(input)) return { kind: "restarting" };
  const why = progress.isPastDeadline ? progress.gaveUp : `nothing has changed for ${formatDuration(allowedMs(workload, input.timeoutMs))}`;
  return { kind: "failed", why: `${progress.summary}, and ${why}` };
}

/** Whether some of its pods are only temporarily missing. Afterwards, the remaining pods determine whether it is due. */
function isMoving({ workload, ...input }: StandingInput): boolean {
  const { progress } = workload;
  const hasStopped = progress.isPastDeadline || isStalled({ workload, ...input });
  return !hasStopped && (progress.isRolling || progress.counts.available > 0);
}

export function turnOf(workload: Workload): Turn {
  // Includes workloads whose pods are all available but have not yet proven that they stay available.
  if (isRestarted(workload)) return "unfinished";
  return workload.progress.isComplete ? "ready" : "unready";
}

function isStalled({ workload, stalledMs, timeoutMs }: Restarting): boolean {
  return stalledMs >= allowedMs(workload, timeoutMs);
}

/**
 * Returns the milliseconds without progress after which a rollout has failed. A Deployment that allows more time than the setting gets that
 * time.
 */
export function allowedMs({ progress }: Workload, timeoutMs: number): number {
  return Math.max(timeoutMs, progress.ownDeadlineMs);
}

/** Returns the standing of a workload whose restart the API server or a policy rejected. */
export function rejectedFor(why: string): Extract<Standing, { readonly kind: "failed" }> {
  return { kind: "failed", why: `the API server rejected its restart: ${why}` };
}
