import { isRestarted } from "../../domain/rollout/stamp.ts";
import type { Workload } from "../../domain/rollout/workload.ts";
import type { AskingWorkload } from "./asking.ts";
import type { RolloutMemory } from "./rollout-memory.ts";

/**
 * A restart that goes on counts for so many times `--rollout-timeout` at most. Each step forward begins that time anew, and an owner who scales
 * a workload up and down makes such steps without an end.
 */
const MOST_TIMEOUTS = 6;

/** A new leader needs its time to see every namespace, however short restarts may take (milliseconds). */
const SHORTEST_ADOPTION_MS = 60_000;

export interface UnderWayInput {
  readonly memory: RolloutMemory;
  /** Unix milliseconds. */
  readonly now: number;
  /** `--rollout-timeout`, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Milliseconds for which a restart of ours may still count as under way; 0 where there is none, or it waits for people. It is one that this
 * process began. Of those that the leader before began only the stamps tell, which anybody may write who may write workloads: what looks like
 * one when a worker begins to lead counts, and what comes later does not. How long, no setting of the workload says.
 */
export function slotMsOf({ memory, now, timeoutMs }: UnderWayInput, workload: Workload): number {
  const known = memory.of(workload);
  const { templateStamp: stamp } = workload;
  if (stamp === undefined || !isRestarted(workload)) return 0;
  if (known.begun === undefined && now < adoptedUntil(memory, timeoutMs)) known.begun = { stamp, at: now };
  const { begun } = known;
  if (begun?.stamp !== stamp || workload.progress.isPaused || workload.obstacle !== undefined) return 0;
  const left = Math.min(timeoutMs - memory.stalledFor(workload, now), begun.at + MOST_TIMEOUTS * timeoutMs - now);
  return Math.max(0, left);
}

/** Until when stamps alone say that restarts are under way (Unix milliseconds). */
export function adoptedUntil({ leadsSince }: RolloutMemory, timeoutMs: number): number {
  return leadsSince + Math.max(timeoutMs, SHORTEST_ADOPTION_MS);
}

/** Takes one of the slots of the cluster: its pods are being replaced, or have still to prove themselves. One that failed holds up its namespace alone. */
export function holdsSlot({ standing, slotMs, isUnderWay }: AskingWorkload): boolean {
  return slotMs > 0 && standing.kind !== "failed" && (isUnderWay === true || standing.kind === "restarting");
}
