/** The only source of time. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /**
   * Milliseconds since an unknown moment, at the pace of real time whatever happens to the machine's clock: for limits that somebody else
   * counts. Absent: {@link now} goes so.
   */
  monotonic?(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** The clock whose `now` is the other's monotonic time. */
export function monotonicClock(clock: Clock): Clock {
  return { now: () => clock.monotonic?.() ?? clock.now(), sleep: (milliseconds, signal) => clock.sleep(milliseconds, signal) };
}
