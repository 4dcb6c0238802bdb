import { formatDuration } from "../duration.ts";
import type { Told } from "./status-fields.ts";
import { rfc3339 } from "./stored-time.ts";

/** Two polls may be missed, and the third be a little late: then a class is not called fresh any more. */
const POLLS = 2.5;

/** Of a class that is polled. Times in Unix milliseconds. */
export interface CheckFacts {
  /** When a check last succeeded, as far as anybody knows. */
  readonly lastCheck: number;
  /** Milliseconds between two polls. */
  readonly interval: number;
  readonly now: number;
  /** No poll could be missed before: then the interval began to count, or the process. */
  readonly notBefore?: number | undefined;
}

/** Nothing has to have failed for that: what counts is what was seen, not that no error was. */
export function isOutOfDate({ lastCheck, interval, now, notBefore = lastCheck }: CheckFacts): boolean {
  return now - Math.max(lastCheck, notBefore) > POLLS * interval;
}

/** Polls of the class were answered by what was seen before: only throttling stretches that so far. */
export function throttledPolls({ lastCheck }: CheckFacts): Told {
  return {
    reason: "Throttled",
    message: `the vault is throttling requests, so the worker polls it less often; the last check was at ${rfc3339(lastCheck)}`,
  };
}

/** `why`: what is known to hold checks up. */
export function missedPolls({ lastCheck, interval }: CheckFacts, why: string | undefined): Told {
  const longer = `no successful check since ${rfc3339(lastCheck)}, which is longer than two poll intervals (${formatDuration(2 * interval)})`;
  return { reason: "Stale", message: why === undefined ? longer : `${longer}; ${why}` };
}
