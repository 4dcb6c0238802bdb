/** Exponential growth between two bounds. */
export interface BackoffRange {
  /** Milliseconds before the first retry, at most. */
  readonly baseMs: number;
  /** Milliseconds before any later retry, at most. */
  readonly maxMs: number;
}

/**
 * Milliseconds to wait after the given number of failures in a row (1 or more). The upper half of the span is random, so that what
 * failed together does not come back together, and no retry comes at once. `random` is in [0, 1).
 */
export function backoffDelay(failures: number, range: BackoffRange, random: () => number): number {
  // 2^30 is past any bound that makes sense, and keeps the power finite however long something fails.
  const span = Math.min(range.maxMs, range.baseMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30));
  return Math.round(span / 2 + (span / 2) * random());
}
