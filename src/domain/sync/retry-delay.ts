import { assertNever } from "../assert-never.ts";
import type { Retry } from "../ports/retry.ts";

const FIRST_MS = 2_000;
const LAST_MS = 60_000;

/**
 * Returns the milliseconds until the next attempt after a failed one. The delay doubles from 2 s to a minute. `spread` (0 to 1) subtracts
 * up to a quarter, so that classes that failed together do not retry together. `never` waits for the next poll.
 */
export function retryDelay(retry: Retry, failures: number, options: { readonly interval: number; readonly spread: number }): number {
  switch (retry.kind) {
    case "after":
      // The vault may request an immediate retry, or name a time that is past by the worker's clock. The minimum avoids a loop.
      return Math.max(FIRST_MS, retry.milliseconds);
    case "never":
      return options.interval;
    case "backoff":
      return Math.min(LAST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1)) * (1 - options.spread / 4);
    default:
      return assertNever(retry);
  }
}
