/** Repairs of damage that others cause. Unix milliseconds. */
export interface Repairs {
  readonly inARow: number;
  readonly last: number;
  /** Time at which the unrepaired damage was first seen; undefined if there is none. */
  readonly seen: number | undefined;
}

export const NO_REPAIRS: Repairs = { inARow: 0, last: Number.NEGATIVE_INFINITY, seen: undefined };

/** Spacing of repairs in a row. */
export interface Pace {
  /** Damage that occurs this long after the last repair is unrelated to it (milliseconds). */
  readonly apartMs: number;
  /** Factor by which each pause is longer than the one before. */
  readonly factor: number;
  readonly longestMs: number;
}

const MINUTE = 60_000;

/** For objects that no one has a reason to change again and again. Here, a pause costs more than a write. */
export const STEADY: Pace = { apartMs: MINUTE, factor: 2, longestMs: MINUTE };

/**
 * For a field that one manager takes back after each repair, even if slowly. After six repairs, the worker leaves the field to that
 * manager, except for one repair an hour.
 */
export const YIELDING: Pace = { apartMs: 120 * MINUTE, factor: 16, longestMs: 60 * MINUTE };

/** Number of repairs in a row that the worker makes immediately, because edits by users and rollouts come in bursts. */
const AT_ONCE = 3;

/** Records damage, and returns the pause before its repair (milliseconds). From the fourth repair in a row on, the pauses grow. */
export function paceRepair(
  repairs: Repairs,
  now: number,
  { apartMs, factor, longestMs }: Pace = STEADY,
): { readonly repairs: Repairs; readonly pauseMs: number } {
  const seen = repairs.seen ?? now;
  const inARow = seen - repairs.last > apartMs ? 0 : repairs.inARow;
  const paced = { ...repairs, inARow, seen };
  if (inARow < AT_ONCE) return { repairs: paced, pauseMs: 0 };
  const pause = Math.min(longestMs, 1_000 * factor ** (inARow - AT_ONCE));
  return { repairs: paced, pauseMs: Math.max(0, repairs.last + pause - now) };
}

/** Records that a repair begins. */
export function afterRepair({ inARow }: Repairs, now: number): Repairs {
  return { inARow: inARow + 1, last: now, seen: undefined };
}

/** Returns the Unix milliseconds until which the object counts as contested; undefined if no one undoes the repairs. */
export function contestedUntil(repairs: Repairs, now: number): number | undefined {
  if (repairs.inARow <= AT_ONCE) return undefined;
  if (repairs.seen !== undefined) return Number.POSITIVE_INFINITY;
  const end = repairs.last + MINUTE;
  return now < end ? end : undefined;
}
