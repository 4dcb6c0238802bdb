/** The only source of time. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /**
   * Milliseconds since an unknown moment, at the pace of real time even if someone sets the machine's clock. For limits that another party
   * enforces. Absent: {@link now} is monotonic.
   */
  monotonic?(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** Returns a clock whose `now` is the other clock's monotonic time. */
export function monotonicClock(clock: Clock): Clock {
  return { now: () => clock.monotonic?.() ?? clock.now(), sleep: (milliseconds, signal) => clock.sleep(milliseconds, signal) };
}
