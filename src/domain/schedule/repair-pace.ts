/** Repairs of what somebody else damages. Unix milliseconds. */
export interface Repairs {
  readonly inARow: number;
  readonly last: number;
  /** When the damage that waits for its repair was first seen; undefined where none waits. */
  readonly seen: number | undefined;
}

export const NO_REPAIRS: Repairs = { inARow: 0, last: Number.NEGATIVE_INFINITY, seen: undefined };

/** How repairs in a row are spaced. */
export interface Pace {
  /** Damage that comes this long after the last repair has nothing to do with it (milliseconds). */
  readonly apartMs: number;
  /** By how much each pause is longer than the one before. */
  readonly factor: number;
  readonly longestMs: number;
}

const MINUTE = 60_000;

/** Of what nobody has a reason to undo for long: a pause costs more than a write. */
export const STEADY: Pace = { apartMs: MINUTE, factor: 2, longestMs: MINUTE };

/** Of a field that one manager takes back after each repair, however slowly: after six of them it is left to that manager, but for once an hour. */
export const YIELDING: Pace = { apartMs: 120 * MINUTE, factor: 16, longestMs: 60 * MINUTE };

/** So many in a row are done at once: people and rollouts come in bursts. */
const AT_ONCE = 3;

/** Damage was found: how it counts, and how long its repair has to wait (milliseconds). From the fourth in a row on the pauses grow. */
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

/** A repair is being made. */
export function afterRepair({ inARow }: Repairs, now: number): Repairs {
  return { inARow: inARow + 1, last: now, seen: undefined };
}

/** Unix milliseconds until which somebody counts as undoing each repair, undefined where nobody does. */
export function contestedUntil(repairs: Repairs, now: number): number | undefined {
  if (repairs.inARow <= AT_ONCE) return undefined;
  if (repairs.seen !== undefined) return Number.POSITIVE_INFINITY;
  const end = repairs.last + MINUTE;
  return now < end ? end : undefined;
}
