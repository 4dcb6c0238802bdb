/** A token bucket: at most `burst` turns at once, and `perSecond` turns in the long run. */
export interface BucketLimits {
  readonly perSecond: number;
  readonly burst: number;
}

export interface Bucket {
  /** Below 0: turns that are already promised and still wait. */
  readonly tokens: number;
  /** Unix milliseconds up to which the bucket has been refilled. */
  readonly filledAt: number;
}

export function fullBucket({ burst }: BucketLimits, now: number): Bucket {
  return { tokens: burst, filledAt: now };
}

/** Returns a bucket that was empty at that moment (Unix milliseconds), and so is full if that is long ago. */
export function bucketSince(since: number): Bucket {
  return { tokens: 0, filledAt: since };
}

export interface BucketTurn {
  readonly bucket: Bucket;
  /** Milliseconds until the turn comes. */
  readonly waitMs: number;
}

/** Takes turns, on credit if the bucket is empty. An earlier caller has the shorter wait, and no caller has to ask again. */
export function takeTurns(
  bucket: Bucket,
  limits: BucketLimits,
  { now, turns }: { readonly now: number; readonly turns: number },
): BucketTurn {
  const tokens = refilled(bucket, limits, now) - turns;
  const waitMs = tokens >= 0 ? 0 : Math.ceil((-tokens / limits.perSecond) * 1_000);
  // Before `filledAt`, the bucket is not refilled. This also applies after the clock was set back.
  const filledAt = bucket.filledAt > now && bucket.filledAt - now <= LONGEST_PAUSE_MS ? bucket.filledAt : now;
  return { bucket: { tokens, filledAt }, waitMs: waitMs + (filledAt - now) };
}

/** A time further ahead than any pause comes from another clock. */
const LONGEST_PAUSE_MS = 3_600_000;

function refilled({ tokens, filledAt }: Bucket, { perSecond, burst }: BucketLimits, now: number): number {
  return Math.min(burst, tokens + (Math.max(0, now - filledAt) / 1_000) * perSecond);
}
