/**
 * Circuit breaker: limits requests to a party that does not answer. Allows one request at a time, less and less often, until the party
 * answers.
 */

const FIRST_OPEN_MS = 5_000;
const LAST_OPEN_MS = 60_000;

/** The breaker gives up a probe without a result after this time (milliseconds). */
const PROBE_MS = 60_000;

/** Wait for other callers while a probe is in progress (milliseconds). */
const WHILE_PROBED_MS = 1_000;

export interface Breaker {
  /** Requests in a row without an answer. */
  readonly failures: number;
  /** Unix milliseconds, or those of any other clock that all callers use. */
  readonly openUntil: number;
  /** Times that it opened in a row; 0 while it is closed. */
  readonly openings: number;
  /** The one request that is allowed while the breaker is open. */
  readonly probe: { readonly request: number; readonly askedAt: number } | undefined;
  /** Number of requests so far, which is also the number of the last one. */
  readonly requests: number;
  /** Missing answers to requests up to this number no longer count: the party has answered since, or the breaker has opened. */
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

/** Returns the milliseconds for which no request is allowed; undefined: send the request. */
export function heldFor(breaker: Breaker, now: number): number | undefined {
  if (now < breaker.openUntil) return breaker.openUntil - now;
  return breaker.probe !== undefined && now < breaker.probe.askedAt + PROBE_MS ? WHILE_PROBED_MS : undefined;
}

/** Records a new request. While the breaker is open, it is the only one. The request's number is the new {@link Breaker.requests}. */
export function asked(breaker: Breaker, now: number): Breaker {
  const request = breaker.requests + 1;
  return { ...breaker, requests: request, probe: isOpen(breaker) ? { request, askedAt: now } : undefined };
}

/** Records an answer to any request. */
export function answeredBy({ requests }: Breaker): Breaker {
  return { ...CLOSED, requests, settled: requests };
}

export interface Silence {
  /** Number of the request that got no answer. */
  readonly request: number;
  readonly now: number;
  /** Number of failures in a row that open the breaker. */
  readonly mostFailures: number;
  /** Pause in milliseconds that the party itself asks for. It opens the breaker at once. */
  readonly pauseMs?: number | undefined;
}

/** Records that no usable answer came. */
export function unansweredBy(breaker: Breaker, { request, now, mostFailures, pauseMs = 0 }: Silence): Breaker {
  // A request that hangs may end long after the pause that it would have caused.
  if (request <= breaker.settled) return isOpen(breaker) ? { ...breaker, openUntil: Math.max(breaker.openUntil, now + pauseMs) } : breaker;
  const failures = breaker.failures + 1;
  if (failures < mostFailures && pauseMs <= 0 && !isOpen(breaker)) return { ...breaker, failures };
  const pause = Math.max(pauseMs, Math.min(LAST_OPEN_MS, FIRST_OPEN_MS * 2 ** breaker.openings));
  const { requests } = breaker;
  return { failures, openings: breaker.openings + 1, openUntil: now + pause, probe: undefined, requests, settled: requests };
}

/** Records that a request learned nothing about the party. If it was the probe, the next request becomes the probe. */
export function notTried(breaker: Breaker, request: number): Breaker {
  return breaker.probe?.request === request ? { ...breaker, probe: undefined } : breaker;
}
