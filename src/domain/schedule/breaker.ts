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
  /** The one request that tries, while it is open. */
  readonly probe: { readonly request: number; readonly askedAt: number } | undefined;
  /** Requests so far, which is the number of the last one. */
  readonly requests: number;
  /** Up to this request silence is no news: the party has answered since, or the breaker has opened. */
  readonly settled: number;
}

export const CLOSED: Breaker = {
  failures: 0,
  openUntil: Number.NEGATIVE_INFINITY,
  openings: 0,
  probe: undefined,
  requests: 0,
  settled: 0,
};

export function isOpen({ openings }: Breaker): boolean {
  return openings > 0;
}

/** Milliseconds for which nothing is to be asked; undefined: ask. */
export function heldFor(breaker: Breaker, now: number): number | undefined {
  if (now < breaker.openUntil) return breaker.openUntil - now;
  return breaker.probe !== undefined && now < breaker.probe.askedAt + PROBE_MS ? WHILE_PROBED_MS : undefined;
}

/** Somebody asks: while it is open, the only one. The request's number is the new {@link Breaker.requests}. */
export function asked(breaker: Breaker, now: number): Breaker {
  const request = breaker.requests + 1;
  return { ...breaker, requests: request, probe: isOpen(breaker) ? { request, askedAt: now } : undefined };
}

/** An answer came, to whichever request. */
export function answeredBy({ requests }: Breaker): Breaker {
  return { ...CLOSED, requests, settled: requests };
}

export interface Silence {
  /** The number of the request that got no answer. */
  readonly request: number;
  readonly now: number;
  /** So many in a row open the breaker. */
  readonly mostFailures: number;
}

/** No answer came. */
export function unansweredBy(breaker: Breaker, { request, now, mostFailures }: Silence): Breaker {
  // One that hangs may end long after the pause that it would have been a reason for.
  if (request <= breaker.settled) return breaker;
  const failures = breaker.failures + 1;
  if (failures < mostFailures && !isOpen(breaker)) return { ...breaker, failures };
  const pause = Math.min(LAST_OPEN_MS, FIRST_OPEN_MS * 2 ** breaker.openings);
  const { requests } = breaker;
  return { failures, openings: breaker.openings + 1, openUntil: now + pause, probe: undefined, requests, settled: requests };
}

/** Who asked has learnt nothing of the party: where it was the one that tries, the next one may. */
export function notTried(breaker: Breaker, request: number): Breaker {
  return breaker.probe?.request === request ? { ...breaker, probe: undefined } : breaker;
}
