import { assertNever } from "../assert-never.ts";
import type { Retry } from "../ports/retry.ts";

const FIRST_MS = 2_000;
const LAST_MS = 60_000;

/**
 * Milliseconds to the next attempt after a failed one. Doubling from 2 s to a minute; `spread` (0 to 1) takes up to a
 * quarter off, so that classes that failed together do not come back together. `never` waits for the next poll.
 */
export function retryDelay(retry: Retry, failures: number, options: { readonly interval: number; readonly spread: number }): number {
  switch (retry.kind) {
    case "after":
      // A vault that says "at once", or names a moment that is past by our clock, is not asked in a loop.
      return Math.max(FIRST_MS, retry.milliseconds);
    case "never":
      return options.interval;
    case "backoff":
      return Math.min(LAST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1)) * (1 - options.spread / 4);
    default:
      return assertNever(retry);
  }
}
