import { afterRepair, paceRepair, contestedUntil as repairsContestedUntil } from "../../domain/schedule/repair-pace.ts";
import type { FetchNeed } from "../../domain/sync/fetch-need.ts";
import type { ClassMemory } from "../classes/class-memory.ts";

const REPAIRS: readonly FetchNeed[] = ["SecretMissing", "SecretEdited"];

export function isRepair(need: FetchNeed): boolean {
  return REPAIRS.includes(need);
}

/** Milliseconds to wait before a repair. Somebody who undoes each of ours would cost a vault read and a write every time. */
export function repairPause(memory: ClassMemory, need: FetchNeed, now: number): number {
  if (!isRepair(need)) return 0;
  const { repairs, pauseMs } = paceRepair(memory.repairs, now);
  memory.repairs = repairs;
  return pauseMs;
}

/** To be called before every look at the vault. */
export function noteRepair(memory: ClassMemory, need: FetchNeed, now: number): void {
  if (isRepair(need)) {
    // Those of an earlier, unconnected fight.
    if (memory.repairs.inARow === 0) memory.contenders = new Map();
    memory.repairs = afterRepair(memory.repairs, now);
  } else {
    memory.repairs = { ...memory.repairs, seen: undefined };
  }
}

/** Unix milliseconds until which the class counts as contested, undefined where it is not: somebody undoes each repair. */
export function contestedUntil({ repairs }: ClassMemory, now: number): number | undefined {
  return repairsContestedUntil(repairs, now);
}
