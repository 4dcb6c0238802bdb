/** What decides over the Secrets of a `while-used` class that no pod mounts. Times in Unix milliseconds. */
export interface UnusedFacts {
  /** The class has Secrets. */
  readonly hasSecrets: boolean;
  readonly now: number;
  /** Of the watch of pods. */
  readonly lastActivity: number;
  /** Of the same: before, a pod may have come and gone unseen. */
  readonly unbrokenSince: number;
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

export function unusedVerdict({ hasSecrets, now, lastActivity, unbrokenSince, unusedSince, grace }: UnusedFacts): UnusedVerdict {
  if (!hasSecrets) return { kind: "rest" };
  if (now - lastActivity > SILENCE_MS) return { kind: "unseen" };
  // A gap in what was seen is no part of an absence.
  const since = Math.max(unusedSince ?? now, Math.min(unbrokenSince, now));
  const left = since + grace - now;
  return left > 0 ? { kind: "wait", since, milliseconds: left } : { kind: "expired", since };
}
