import { refOf } from "../../domain/object-key.ts";
import { isRestarted } from "../../domain/rollout/stamp.ts";
import { allowedMs } from "../../domain/rollout/standing.ts";
import type { Workload } from "../../domain/rollout/workload.ts";
import { rotatedIn } from "../../domain/sync/rotated-condition.ts";
import type { RolloutCaches } from "./rollout-context.ts";
import type { RolloutMemory } from "./rollout-memory.ts";
import { isAdopting, type UnderWayInput } from "./under-way.ts";

/**
 * Whether the namespace was halted when this process began to lead, according to the conditions of its classes, and this process has not
 * found out by which restart.
 */
export function isHaltInherited(
  memory: RolloutMemory,
  { classes, statuses }: Pick<RolloutCaches, "classes" | "statuses">,
  namespace: string,
): boolean {
  return memory.inheritsHalt(namespace, () =>
    classes
      .list()
      .filter(({ metadata }) => metadata.namespace === namespace)
      .some((provider) => rotatedIn(statuses.get(refOf(provider)))?.reason === "RolloutFailed"),
  );
}

/**
 * Takes over the restart of a workload that an earlier leader began. Stamps show which restarts were under way, but not for how long, and a
 * new leader has seen none of them stand still. In a halted namespace, such a restart has failed until it makes progress: any of them may be
 * the one that the earlier leader reported. Pods that become available again are not progress, because they may be in a crash loop.
 */
export function adopt(input: UnderWayInput, workload: Workload, isHalted: boolean): void {
  if (!isAdopting(input)) return;
  const { memory, now, timeoutMs } = input;
  const known = memory.of(workload);
  const { templateStamp: stamp } = workload;
  if (known.begun !== undefined || stamp === undefined || !isRestarted(workload)) return;
  const allowed = allowedMs(workload, timeoutMs);
  const hasFailed = Number.isFinite(allowed) && isHalted;
  known.begun = { stamp, at: now, adopted: { counts: workload.progress.counts, hasFailed } };
  if (!hasFailed) return;
  memory.noteStalled(workload, now - allowed);
  memory.endInheritedHalt(workload);
}

/**
 * Returns how many restarts of the namespace may be under way. A halted namespace without an unfinished restart has a rejected one, and no
 * code reads the message that names it. A new leader therefore begins one at a time until the API server has accepted one.
 */
export function mostAtATime(input: UnderWayInput, isHalted: boolean, setting: number): number {
  return isHalted && isAdopting(input) ? 1 : setting;
}
