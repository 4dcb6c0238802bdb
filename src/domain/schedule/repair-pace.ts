/** Repairs of what somebody else damages. Unix milliseconds. */
export interface Repairs {
  readonly inARow: number;
  readonly last: number;
  /** When the damage that waits for its repair was first seen; undefined where none waits. */
  readonly seen: number | undefined;
}

export const NO_REPAIRS: Repairs = { inARow: 0, last: Number.NEGATIVE_INFINITY, seen: undefined };

/** Damage that comes this long after the last repair has nothing to do with it (milliseconds). */
const APART_MS = 60_000;

/** So many in a row are done at once: people and rollouts come in bursts. */
const AT_ONCE = 3;

/** Damage was found: how it counts, and how long its repair has to wait (milliseconds). From the fourth in a row on the pause doubles, up to a minute. */
export function paceRepair(repairs: Repairs, now: number): { readonly repairs: Repairs; readonly pauseMs: number } {
  const seen = repairs.seen ?? now;
  const inARow = seen - repairs.last > APART_MS ? 0 : repairs.inARow;
  const paced = { ...repairs, inARow, seen };
  if (inARow < AT_ONCE) return { repairs: paced, pauseMs: 0 };
  const pause = Math.min(APART_MS, 1_000 * 2 ** (inARow - AT_ONCE));
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
  const end = repairs.last + APART_MS;
  return now < end ? end : undefined;
}
