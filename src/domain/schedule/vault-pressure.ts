/**
 * Limits the requests to one vault. The state is per vault, for all callers together: a vault counts its limits per vault, and a vault that
 * throttles or does not respond must not hold up the others.
 */
import { answeredBy, asked, type Breaker, CLOSED, heldFor, notTried, type Silence, unansweredBy } from "./breaker.ts";
import { type Bucket, type BucketLimits, bucketSince, takeTurns } from "./token-bucket.ts";

/**
 * A vault accepts 4,000 transactions in 10 s. The worker uses at most 3,500 of them (500 at once, then 300 a second), to leave capacity for
 * nodes that mount the same objects, and for other clusters. https://learn.microsoft.com/azure/key-vault/general/service-limits
 */
const ALL: BucketLimits = { perSecond: 300, burst: 500 };

/**
 * Keys have their own limits, down to 250 in 10 s for RSA keys of 4,096 bits in hardware, and the size of a key is unknown before the
 * request. The worker sends at most 240 in 10 s: the vault counts requests on arrival, and requests from the start of the window can arrive
 * up to half a second late.
 */
const KEYS: BucketLimits = { perSecond: 20, burst: 40 };

/** Slowest rate after throttling by the vault: near 19 a second. */
const LEAST_SHARE = 1 / 16;

/** Under throttling, polls are at most this many times less frequent. */
const MOST_STRETCH = 8;

/** Time without a 429 after which the share doubles; the next answer applies it (milliseconds). */
const RECOVERY_MS = 30_000;

/** Pauses without `Retry-After`, as in Key Vault's guidance: 1, 2, 4, 8, 16 s. The SDK does not retry such a 429 at all. */
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 16_000;

/** Requests in a row without an answer that open the breaker. A closed connection can lose one request, but not five. */
const FAILURES_TO_OPEN = 5;

export interface VaultPressure {
  readonly all: Bucket;
  readonly keys: Bucket;
  /** Part of the vault's budget that this worker can use if other workers share it. */
  readonly portion: number;
  /** Part of the full rate; 1 while the vault does not throttle. */
  readonly share: number;
  /** Milliseconds by the caller's clock, as in the other times. */
  readonly shareChangedAt: number;
  readonly pausedUntil: number;
  /** Pauses in a row. */
  readonly pauses: number;
  /** Only answers of the vault, and missing ones, change it. */
  readonly breaker: Breaker;
}

/**
 * `since`: until then another worker may have queried the vault, so the buckets have no turns saved up (milliseconds by the caller's
 * clock).
 */
export function noPressure(since = Number.NEGATIVE_INFINITY, portion = 1): VaultPressure {
  const past = Number.NEGATIVE_INFINITY;
  return {
    all: bucketSince(since),
    keys: bucketSince(since),
    portion,
    share: 1,
    shareChangedAt: past,
    pausedUntil: past,
    pauses: 0,
    breaker: CLOSED,
  };
}

export type Admission =
  | { readonly kind: "go"; readonly pressure: VaultPressure; readonly waitMs: number; readonly request: number }
  /** Not sent, because the vault throttles (`Throttled`) or does not answer (`Unreachable`). */
  | { readonly kind: "refused"; readonly why: "Throttled" | "Unreachable"; readonly afterMs: number };

export interface VaultAsking {
  readonly now: number;
  readonly isKey: boolean;
}

export function admit(pressure: VaultPressure, { now, isKey }: VaultAsking): Admission {
  const held = holdUp(pressure, now);
  if (held !== undefined) return { kind: "refused", ...held };
  const all = takeTurns(pressure.all, scaled(ALL, pressure), { now, turns: 1 });
  const keys = isKey ? takeTurns(pressure.keys, scaled(KEYS, pressure), { now, turns: 1 }) : undefined;
  const breaker = asked(pressure.breaker, now);
  const next = { ...pressure, all: all.bucket, keys: keys?.bucket ?? pressure.keys, breaker };
  return { kind: "go", pressure: next, waitMs: Math.max(all.waitMs, keys?.waitMs ?? 0), request: breaker.requests };
}

/** Admits a request after the wait for its turn: the state may have changed meanwhile, and the request is sent only now. */
export function admitNow(pressure: VaultPressure, request: number, now: number): Admission {
  const waited = unreported(pressure, request);
  const held = holdUp(waited, now);
  if (held !== undefined) return { kind: "refused", ...held };
  const breaker = asked(waited.breaker, now);
  return { kind: "go", pressure: { ...waited, breaker }, waitMs: 0, request: breaker.requests };
}

/** Records that a request was not sent: returns its turns, and the next request can be the probe. */
export function notAsked(pressure: VaultPressure, request: number, { now, isKey }: VaultAsking): VaultPressure {
  const given = { now, turns: -1 };
  const all = takeTurns(pressure.all, scaled(ALL, pressure), given).bucket;
  const keys = isKey ? takeTurns(pressure.keys, scaled(KEYS, pressure), given).bucket : pressure.keys;
  return { ...unreported(pressure, request), all, keys };
}

/** Returns why no request can be sent now, and for how long. */
function holdUp(pressure: VaultPressure, now: number): { readonly why: "Throttled" | "Unreachable"; readonly afterMs: number } | undefined {
  const silentFor = heldFor(pressure.breaker, now);
  if (silentFor !== undefined) return { why: "Unreachable", afterMs: silentFor };
  if (now < pressure.pausedUntil) return { why: "Throttled", afterMs: pressure.pausedUntil - now };
  return undefined;
}

/** Records an answer of the vault, including a refusal. */
export function answeredPressure(pressure: VaultPressure, now: number): VaultPressure {
  const isPaused = now < pressure.pausedUntil;
  // Counts all steps since the last change. Polls that the low share spreads far apart would otherwise increase it by only one step each.
  const steps = isPaused ? 0 : Math.floor((now - pressure.shareChangedAt) / RECOVERY_MS);
  const grows = pressure.share < 1 && steps > 0;
  return {
    ...pressure,
    breaker: answeredBy(pressure.breaker),
    pauses: isPaused ? pressure.pauses : 0,
    ...(grows ? { share: Math.min(1, pressure.share * 2 ** steps), shareChangedAt: now } : {}),
  };
}

/** Records a 429. Several responses to simultaneous requests count once. */
export function throttled(pressure: VaultPressure, now: number, retryAfterMs: number | undefined): VaultPressure {
  const isKnown = now < pressure.pausedUntil;
  const pauses = isKnown ? pressure.pauses : pressure.pauses + 1;
  const pause = retryAfterMs ?? Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (Math.max(1, pauses) - 1));
  const pausedUntil = Math.max(pressure.pausedUntil, now + (isKnown && retryAfterMs === undefined ? 0 : Math.max(FIRST_PAUSE_MS, pause)));
  // Removes saved turns, because the vault has just reported that its limit is used up.
  const drained = (bucket: Bucket): Bucket => ({ tokens: Math.min(0, bucket.tokens), filledAt: pausedUntil });
  const share = isKnown ? pressure.share : Math.max(LEAST_SHARE, pressure.share / 2);
  return {
    ...pressure,
    breaker: answeredBy(pressure.breaker),
    all: drained(pressure.all),
    keys: drained(pressure.keys),
    share,
    shareChangedAt: now,
    pausedUntil,
    pauses,
  };
}

/** Records that no usable answer of the vault came. */
export function unanswered(pressure: VaultPressure, silence: Omit<Silence, "mostFailures">): VaultPressure {
  return { ...pressure, breaker: unansweredBy(pressure.breaker, { ...silence, mostFailures: FAILURES_TO_OPEN }) };
}

/** Records a request without a result: the worker gave it up, or it failed before it reached the vault. */
export function unreported(pressure: VaultPressure, request: number): VaultPressure {
  return { ...pressure, breaker: notTried(pressure.breaker, request) };
}

/** Returns the factor by which polls of the vault are less frequent. */
export function stretchOf({ share }: VaultPressure): number {
  return Math.min(MOST_STRETCH, 1 / share);
}

/** Returns the allowed requests per second in the long run. */
export function rateOf(pressure: VaultPressure): number {
  return scaled(ALL, pressure).perSecond;
}

function scaled({ perSecond, burst }: BucketLimits, { share, portion }: VaultPressure): BucketLimits {
  const part = share * portion;
  return { perSecond: perSecond * part, burst: Math.max(1, burst * part) };
}
