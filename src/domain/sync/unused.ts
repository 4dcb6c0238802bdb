/** What decides over the Secrets of a `while-used` class that no pod mounts. Times in Unix milliseconds. */
export interface UnusedFacts {
  /** The class has Secrets. */
  readonly hasSecrets: boolean;
  readonly now: number;
  /** Of the watch of pods. */
  readonly lastActivity: number;
  /** Of the same: before, a pod may have come and gone unseen. */
  readonly unbrokenSince: number;
  /** Of the same: a pod that comes and goes now is seen. */
  readonly isFollowed: boolean;
  /** Since when the absence was seen; undefined: it is seen now for the first time. */
  readonly unusedSince: number | undefined;
  /** Milliseconds. */
  readonly grace: number;
}

export type UnusedVerdict =
  /** There is nothing, and nothing is made. */
  | { readonly kind: "rest" }
  /** Nobody can say whether a pod mounts the class: the absence counts from when pods can be seen again. */
  | { readonly kind: "unseen" }
  | { readonly kind: "wait"; readonly since: number; readonly milliseconds: number }
  | { readonly kind: "expired"; readonly since: number };

/** A bookmark comes about every minute: after a longer silence the watch may have missed a pod (milliseconds). */
const SILENCE_MS = 90_000;

/** Where the grace is over while the watch is broken, it is waited for: it goes on without a gap, or is listed anew (milliseconds). */
const WHILE_BROKEN_MS = 5_000;

export function unusedVerdict(facts: UnusedFacts): UnusedVerdict {
  const { hasSecrets, now, lastActivity, unbrokenSince, isFollowed, unusedSince, grace } = facts;
  if (!hasSecrets) return { kind: "rest" };
  if (now - lastActivity > SILENCE_MS) return { kind: "unseen" };
  // A gap in what was seen is no part of an absence.
  const since = Math.max(unusedSince ?? now, Math.min(unbrokenSince, now));
  const left = since + grace - now;
  if (left > 0) return { kind: "wait", since, milliseconds: left };
  return isFollowed ? { kind: "expired", since } : { kind: "wait", since, milliseconds: WHILE_BROKEN_MS };
}
