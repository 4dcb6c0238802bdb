import { isUnderWay } from "../../domain/rollout/namespace-plan.ts";
import { isRestarted } from "../../domain/rollout/stamp.ts";
import type { Workload } from "../../domain/rollout/workload.ts";
import type { AskingWorkload } from "./asking.ts";
import type { RolloutMemory } from "./rollout-memory.ts";

/**
 * Longest time for which a restart counts as under way, as a multiple of `--rollout-timeout`. Each step forward starts the timeout again,
 * and an owner who scales a workload up and down makes such steps without end.
 */
const MOST_TIMEOUTS = 6;

/**
 * Shortest time in milliseconds for which a new leader goes by stamps. It needs the time to see every namespace, however little time
 * restarts may take.
 */
const SHORTEST_ADOPTION_MS = 60_000;

export interface UnderWayInput {
  readonly memory: RolloutMemory;
  /** Unix milliseconds. */
  readonly now: number;
  /** `--rollout-timeout`, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Returns the time in milliseconds for which a restart by the worker may still count as under way; 0 if there is none, or if it waits for
 * people. A restart counts if this process began or adopted it. Restarts by the leader before show only in stamps, which anyone who can
 * write workloads can write. The worker therefore adopts the restarts that seem to be under way when it begins to lead, and no later ones.
 * No setting of the workload changes the time.
 */
export function slotMsOf({ memory, now, timeoutMs }: UnderWayInput, workload: Workload): number {
  if (!isRestarted(workload)) return 0;
  const begun = memory.begunOf(workload);
  if (begun === undefined || workload.progress.isPaused || workload.obstacle !== undefined) return 0;
  const left = Math.min(timeoutMs - memory.stalledFor(workload, now), begun.at + MOST_TIMEOUTS * timeoutMs - now);
  return Math.max(0, left);
}

/**
 * Returns whether stamps alone show that restarts are under way. The time begins with the first reconcile, for which all workloads are
 * listed: until then, this process could adopt nothing.
 */
export function isAdopting({ memory, now, timeoutMs }: UnderWayInput): boolean {
  const { judgesSince } = memory;
  return judgesSince !== undefined && now < judgesSince + Math.max(timeoutMs, SHORTEST_ADOPTION_MS);
}

/**
 * Whether the restart takes one of the cluster's slots: the controller is replacing the pods, or the pods still have to prove themselves. A
 * failed restart holds up only its own namespace.
 */
export function holdsSlot(each: AskingWorkload): boolean {
  return each.slotMs > 0 && each.standing.kind !== "failed" && isUnderWay(each);
}
