import type { FetchNeed } from "../domain/sync/fetch-need.ts";
import type { ClassMemory } from "./class-memory.ts";

/** Repairs further apart than this have nothing to do with each other (milliseconds). */
const APART_MS = 60_000;

/** So many in a row are done at once: people and rollouts come in bursts. */
const AT_ONCE = 3;

const REPAIRS: readonly FetchNeed[] = ["SecretMissing", "SecretEdited"];

/**
 * Milliseconds to wait before a repair. Somebody who undoes each of ours would cost a vault read and a write every time:
 * from the fourth in a row on the pause doubles, up to a minute.
 */
export function repairPause({ repairs }: ClassMemory, need: FetchNeed, now: number): number {
  if (!REPAIRS.includes(need) || now - repairs.last > APART_MS || repairs.inARow < AT_ONCE) return 0;
  const pause = Math.min(APART_MS, 1_000 * 2 ** (repairs.inARow - AT_ONCE));
  return Math.max(0, repairs.last + pause - now);
}

export function noteRepair(memory: ClassMemory, need: FetchNeed, now: number): void {
  if (!REPAIRS.includes(need)) return;
  const inARow = now - memory.repairs.last > APART_MS ? 1 : memory.repairs.inARow + 1;
  memory.repairs = { inARow, last: now };
}
