/** Exponential growth between two bounds. */
export interface BackoffRange {
  /** Maximum milliseconds before the first retry. */
  readonly baseMs: number;
  /** Maximum milliseconds before any later retry. */
  readonly maxMs: number;
}

/**
 * Returns the milliseconds to wait after this number of consecutive failures (1 or more). The upper half of the span is random, so that
 * keys that failed together do not retry together, and no retry is immediate. `random` is in [0, 1).
 */
export function backoffDelay(failures: number, range: BackoffRange, random: () => number): number {
  // 2^30 exceeds any sensible bound, and keeps the power finite however long something fails.
  const span = Math.min(range.maxMs, range.baseMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30));
  return Math.round(span / 2 + (span / 2) * random());
}
