/** When a party that does not answer is asked again: by one request at a time, less and less often, until it answers. */

const FIRST_OPEN_MS = 5_000;
const LAST_OPEN_MS = 60_000;

/** A probe that says nothing for so long was given up (milliseconds). */
const PROBE_MS = 60_000;

/** How long those wait who come while somebody else tries (milliseconds). */
const WHILE_PROBED_MS = 1_000;

export interface Breaker {
  /** Requests in a row without an answer. */
  readonly failures: number;
  /** Unix milliseconds, or of any clock; so for the other. */
  readonly openUntil: number;
  /** Times that it opened in a row; 0 while it is closed. */
  readonly openings: number;
  readonly probedAt: number;
}

export const CLOSED: Breaker = {
  failures: 0,
  openUntil: Number.NEGATIVE_INFINITY,
  openings: 0,
  probedAt: Number.NEGATIVE_INFINITY,
};

export function isOpen({ openings }: Breaker): boolean {
  return openings > 0;
}

/** Milliseconds for which nothing is to be asked; undefined: ask. */
export function heldFor(breaker: Breaker, now: number): number | undefined {
  if (now < breaker.openUntil) return breaker.openUntil - now;
  return isOpen(breaker) && now < breaker.probedAt + PROBE_MS ? WHILE_PROBED_MS : undefined;
}

/** Somebody asks: while it is open, the only one. */
export function asked(breaker: Breaker, now: number): Breaker {
  return isOpen(breaker) ? { ...breaker, probedAt: now } : breaker;
}

/** No answer came. After `mostFailures` in a row it opens. */
export function unansweredBy(breaker: Breaker, now: number, mostFailures: number): Breaker {
  // Those that were under way when it opened say nothing new.
  if (now < breaker.openUntil) return breaker;
  const failures = breaker.failures + 1;
  if (failures < mostFailures && !isOpen(breaker)) return { ...breaker, failures };
  const pause = Math.min(LAST_OPEN_MS, FIRST_OPEN_MS * 2 ** breaker.openings);
  return { failures, openings: breaker.openings + 1, openUntil: now + pause, probedAt: Number.NEGATIVE_INFINITY };
}

/** Who asked has learnt nothing of the party: the next one may try. */
export function notTried(breaker: Breaker): Breaker {
  return { ...breaker, probedAt: Number.NEGATIVE_INFINITY };
}
