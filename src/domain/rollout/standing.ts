import { formatDuration } from "../duration.ts";
import type { Hold } from "./hold.ts";
import { type OldBefore, oldBefore } from "./old-before.ts";
import { hasStamp, isRestarted } from "./stamp.ts";
import type { Versions } from "./versions.ts";
import type { Obstacle, Workload } from "./workload.ts";

/** Where a workload that asks for restarts stands. */
export type Standing =
  /** Its pods have the current versions. */
  | { readonly kind: "current" }
  /** Restarted for the current versions, and not ready yet, or not for long enough: `provenIn` milliseconds are left of that. */
  | { readonly kind: "restarting"; readonly provenIn?: number }
  /** The same, for longer than is allowed. `why` does not name the workload. */
  | { readonly kind: "failed"; readonly why: string; readonly provenIn?: number }
  /** To be restarted, unless its pods turn out to be younger than the versions. */
  | ({ readonly kind: "due"; readonly stamp: string; readonly turn: Turn } & OldBefore)
  /** The same, once the driver has brought the files of its pods up to date, or at `until` (Unix milliseconds; undefined: never). */
  | { readonly kind: "awaitingFiles"; readonly isUnfinished: boolean; readonly message: string; readonly until: number | undefined }
  /** It would be due, and something keeps its restart from beginning. */
  | { readonly kind: "held"; readonly stamp: string; readonly since: number; readonly turn: Turn; readonly hold: Hold }
  /** Restarted although it was not ready before, and pods with older versions are still there: no other workload waits for it. */
  | { readonly kind: "unawaited" }
  /** Somebody else replaces its pods at the moment: what is left of them decides afterwards. */
  | { readonly kind: "rolling" }
  | ({ readonly kind: "obstructed"; readonly reason: Obstacle; readonly stamp: string } & OldBefore)
  | { readonly kind: "unknown"; readonly why: string }
  /** Its versions changed a moment ago, and may go on changing. `isUnfinished`: its last restart is not known to have ended well. */
  | { readonly kind: "settling"; readonly isUnfinished: boolean }
  | { readonly kind: "noVersions"; readonly why: string };

/**
 * Who comes first. A workload whose last restart is not finished is disturbed already. One that was not running well before says nothing
 * about the new versions: nobody waits for it, and it waits for nobody.
 */
export type Turn = "unfinished" | "ready" | "unready";

export interface StandingInput {
  readonly workload: Workload;
  readonly versions: Versions;
  /** Hash of the versions; meaningful where they are known. */
  readonly stamp: string;
  /** Hash of the versions in Secrets alone, where there are others, too. */
  readonly mirroredStamp?: string | undefined;
  /** Milliseconds since its progress last changed. */
  readonly stalledMs: number;
  /** `--rollout-timeout`, milliseconds. */
  readonly timeoutMs: number;
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

/** A restart that failed has failed, whatever becomes of the versions that it was for. */
function failedBefore(input: StandingInput): Standing | undefined {
  const standing = isRestarted(input.workload) ? afterRestart(input) : undefined;
  return standing?.kind === "failed" ? standing : undefined;
}

function withoutVersions(versions: Exclude<Versions, { readonly kind: "known" }>): Standing {
  return versions.kind === "none" ? { kind: "noVersions", why: versions.why } : versions;
}

function afterRestart(input: StandingInput): Standing {
  const { workload } = input;
  const { progress } = workload;
  if (progress.isComplete || !isRestarted(workload)) return { kind: "current" };
  if (!progress.isPastDeadline && !isStalled(input)) return { kind: "restarting" };
  const why = progress.isPastDeadline ? progress.gaveUp : `nothing has changed for ${formatDuration(allowedMs(workload, input.timeoutMs))}`;
  return { kind: "failed", why: `${progress.summary}, and ${why}` };
}

/** Some of its pods are missing for the moment; what is left of them afterwards decides. */
function isMoving({ workload, ...input }: StandingInput): boolean {
  const { progress } = workload;
  const hasStopped = progress.isPastDeadline || isStalled({ workload, ...input });
  return !hasStopped && (progress.isRolling || progress.counts.available > 0);
}

function turnOf(workload: Workload): Turn {
  // Also one whose pods are all available, and have still to prove that they stay so.
  if (isRestarted(workload)) return "unfinished";
  return workload.progress.isComplete ? "ready" : "unready";
}

function isStalled({ workload, stalledMs, timeoutMs }: StandingInput): boolean {
  return stalledMs >= allowedMs(workload, timeoutMs);
}

/** Milliseconds without progress after which a rollout has failed. Who allows its Deployment more than the setting gets it. */
export function allowedMs({ progress }: Workload, timeoutMs: number): number {
  return Math.max(timeoutMs, progress.ownDeadlineMs);
}
