import type { FetchNeed } from "../domain/sync/fetch-need.ts";
import type { ClassMemory } from "./class-memory.ts";

/** Damage that comes this long after the last repair has nothing to do with it (milliseconds). */
const APART_MS = 60_000;

/** So many in a row are done at once: people and rollouts come in bursts. */
const AT_ONCE = 3;

const REPAIRS: readonly FetchNeed[] = ["SecretMissing", "SecretEdited"];

export function isRepair(need: FetchNeed): boolean {
  return REPAIRS.includes(need);
}

/**
 * Milliseconds to wait before a repair. Somebody who undoes each of ours would cost a vault read and a write every time:
 * from the fourth in a row on the pause doubles, up to a minute.
 */
export function repairPause(memory: ClassMemory, need: FetchNeed, now: number): number {
  if (!isRepair(need)) return 0;
  const seen = memory.repairs.seen ?? now;
  const inARow = seen - memory.repairs.last > APART_MS ? 0 : memory.repairs.inARow;
  memory.repairs = { ...memory.repairs, inARow, seen };
  if (inARow < AT_ONCE) return 0;
  const pause = Math.min(APART_MS, 1_000 * 2 ** (inARow - AT_ONCE));
  return Math.max(0, memory.repairs.last + pause - now);
}

/** To be called before every look at the vault. */
export function noteRepair(memory: ClassMemory, need: FetchNeed, now: number): void {
  if (isRepair(need)) {
    // Those of an earlier, unconnected fight.
    if (memory.repairs.inARow === 0) memory.contenders = new Map();
    memory.repairs = { inARow: memory.repairs.inARow + 1, last: now, seen: undefined };
  } else {
    memory.repairs = { ...memory.repairs, seen: undefined };
  }
}

/** Unix milliseconds until which the class counts as contested, undefined where it is not: somebody undoes each repair. */
export function contestedUntil({ repairs }: ClassMemory, now: number): number | undefined {
  if (repairs.inARow <= AT_ONCE) return undefined;
  if (repairs.seen !== undefined) return Number.POSITIVE_INFINITY;
  const end = repairs.last + APART_MS;
  return now < end ? end : undefined;
}
