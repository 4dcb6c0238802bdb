import { formatDuration } from "../duration.ts";
import type { ReportedReason } from "./status-fields.ts";
import { rfc3339 } from "./stored-time.ts";

/** A class is no longer fresh after two missed polls. Half an interval allows for a late poll. */
const POLLS = 2.5;

/** Facts about a class that is polled. Times are Unix milliseconds. */
export interface CheckFacts {
  /** Time of the last successful check, as far as known. */
  readonly lastCheck: number;
  /** Milliseconds between two polls. */
  readonly interval: number;
  readonly now: number;
  /** No poll can have been missed before this time: the start of the interval or of the process. */
  readonly notBefore?: number | undefined;
}

/** Whether the class was not checked for too long. No error is needed: only successful checks count, not the absence of errors. */
export function isOutOfDate({ lastCheck, interval, now, notBefore = lastCheck }: CheckFacts): boolean {
  return now - Math.max(lastCheck, notBefore) > POLLS * interval;
}

/** Reports polls that the worker answered from older results. Only throttling delays checks that long. */
export function throttledPolls({ lastCheck }: CheckFacts): ReportedReason {
  return {
    reason: "Throttled",
    message: `the vault is throttling requests, so the worker polls it less often; the last check was at ${rfc3339(lastCheck)}`,
  };
}

/** `why`: known cause of the missed polls. */
export function missedPolls({ lastCheck, interval }: CheckFacts, why: string | undefined): ReportedReason {
  const longer = `no successful check since ${rfc3339(lastCheck)}, which is longer than two poll intervals (${formatDuration(2 * interval)})`;
  return { reason: "Stale", message: why === undefined ? longer : `${longer}; ${why}` };
}
