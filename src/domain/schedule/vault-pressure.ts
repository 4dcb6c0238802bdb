/**
 * How hard one vault may be asked. Kept per vault, whoever asks: its limits are counted per vault, and one that is throttled or
 * away must not hold up the others.
 */
import { answeredBy, asked, type Breaker, CLOSED, heldFor, notTried, unansweredBy } from "./breaker.ts";
import { type Bucket, type BucketLimits, bucketSince, takeTurns } from "./token-bucket.ts";

/**
 * A vault takes 4,000 transactions in 10 s. At most 3,500 of them are ours (500 at once, then 300 a second), so that nodes that
 * mount the same objects, and other clusters, find room. https://learn.microsoft.com/azure/key-vault/general/service-limits
 */
const ALL: BucketLimits = { perSecond: 300, burst: 500 };

/**
 * Keys have limits of their own, down to 250 in 10 s where they are RSA of 4,096 bits in hardware; how large one is nobody knows beforehand.
 * At most 240 are sent in 10 s: the vault counts when they arrive, and those of the window's begin may be up to half a second late.
 */
const KEYS: BucketLimits = { perSecond: 20, burst: 40 };

/** The slowest that the vault's throttling makes us: near 19 a second. */
const LEAST_SHARE = 1 / 16;

/** Polls come at most this many times less often under throttling. */
const MOST_STRETCH = 8;

/** Each time so long has passed without a 429 the share doubles again, as the next answer shows (milliseconds). */
const RECOVERY_MS = 30_000;

/** Without `Retry-After`, as Key Vault's guidance says: 1, 2, 4, 8, 16 s. The SDK does not retry such a 429 at all. */
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 16_000;

/** So many requests in a row without an answer open the breaker: one may be lost to a closed connection, five are not. */
const FAILURES_TO_OPEN = 5;

export interface VaultPressure {
  readonly all: Bucket;
  readonly keys: Bucket;
  /** Of the vault's budget: what this worker may ask for, where others share it. */
  readonly portion: number;
  /** Of the full rate; 1 while the vault does not throttle. */
  readonly share: number;
  /** Milliseconds by the clock of whoever asks; so for the others. */
  readonly shareChangedAt: number;
  readonly pausedUntil: number;
  /** Pauses in a row. */
  readonly pauses: number;
  /** Moved by the vault's own silence and answers, and by nobody else's. */
  readonly breaker: Breaker;
}

/** `since`: up to then somebody else may have asked the vault in our name, and nothing is saved up (milliseconds by the clock of whoever asks). */
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
  /** Not asked: the vault said so (`Throttled`), or does not answer (`Unreachable`). */
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

/** The same after the wait for its turn: the vault may have been heard of meanwhile, and the request is asked only now. */
export function admitNow(pressure: VaultPressure, request: number, now: number): Admission {
  const waited = untold(pressure, request);
  const held = holdUp(waited, now);
  if (held !== undefined) return { kind: "refused", ...held };
  const breaker = asked(waited.breaker, now);
  return { kind: "go", pressure: { ...waited, breaker }, waitMs: 0, request: breaker.requests };
}

/** Nothing was asked of the vault: the turns that were taken are not needed, and the next one may try it. */
export function notAsked(pressure: VaultPressure, request: number, { now, isKey }: VaultAsking): VaultPressure {
  const given = { now, turns: -1 };
  const all = takeTurns(pressure.all, scaled(ALL, pressure), given).bucket;
  const keys = isKey ? takeTurns(pressure.keys, scaled(KEYS, pressure), given).bucket : pressure.keys;
  return { ...untold(pressure, request), all, keys };
}

/** Why nothing is asked now, and for how long. */
function holdUp(pressure: VaultPressure, now: number): { readonly why: "Throttled" | "Unreachable"; readonly afterMs: number } | undefined {
  const silentFor = heldFor(pressure.breaker, now);
  if (silentFor !== undefined) return { why: "Unreachable", afterMs: silentFor };
  if (now < pressure.pausedUntil) return { why: "Throttled", afterMs: pressure.pausedUntil - now };
  return undefined;
}

/** The vault answered, be it with a refusal. */
export function answeredPressure(pressure: VaultPressure, now: number): VaultPressure {
  const isPaused = now < pressure.pausedUntil;
  // Polls that are far apart for the share's sake would see it grow by one step each.
  const steps = isPaused ? 0 : Math.floor((now - pressure.shareChangedAt) / RECOVERY_MS);
  const grows = pressure.share < 1 && steps > 0;
  return {
    ...pressure,
    breaker: answeredBy(pressure.breaker),
    pauses: isPaused ? pressure.pauses : 0,
    ...(grows ? { share: Math.min(1, pressure.share * 2 ** steps), shareChangedAt: now } : {}),
  };
}

/** A 429. Those that were under way together count once. */
export function throttled(pressure: VaultPressure, now: number, retryAfterMs: number | undefined): VaultPressure {
  const isKnown = now < pressure.pausedUntil;
  const pauses = isKnown ? pressure.pauses : pressure.pauses + 1;
  const pause = retryAfterMs ?? Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (Math.max(1, pauses) - 1));
  const pausedUntil = Math.max(pressure.pausedUntil, now + (isKnown && retryAfterMs === undefined ? 0 : Math.max(FIRST_PAUSE_MS, pause)));
  // What was saved up is gone: the vault has just said that it is.
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

/** No answer of the vault came. */
export function unanswered(pressure: VaultPressure, request: number, now: number): VaultPressure {
  return { ...pressure, breaker: unansweredBy(pressure.breaker, { request, now, mostFailures: FAILURES_TO_OPEN }) };
}

/** The vault has said nothing: the call was given up from our side, or ended before it came to the vault. */
export function untold(pressure: VaultPressure, request: number): VaultPressure {
  return { ...pressure, breaker: notTried(pressure.breaker, request) };
}

/** By how much polls of the vault are to be further apart. */
export function stretchOf({ share }: VaultPressure): number {
  return Math.min(MOST_STRETCH, 1 / share);
}

/** Requests a second that are let through in the long run. */
export function rateOf(pressure: VaultPressure): number {
  return scaled(ALL, pressure).perSecond;
}

function scaled({ perSecond, burst }: BucketLimits, { share, portion }: VaultPressure): BucketLimits {
  const part = share * portion;
  return { perSecond: perSecond * part, burst: Math.max(1, burst * part) };
}
