import { uptime } from "node:os";
import type { Clock } from "../domain/ports/clock.ts";
import { systemClock } from "./clock.ts";

/** Maximum share by which this clock is faster than real time while it catches up, and slower while it waits. */
const CATCH_UP = 1;
const HOLD_BACK = 0.1;

export interface TimeSources {
  /** Unix milliseconds, which may be set at any time. */
  readonly wall: () => number;
  /** Milliseconds that only increase, at the pace of real time. On Linux they stand still while the machine sleeps. */
  readonly monotonic: () => number;
  /**
   * The same, including the time asleep. A virtual machine that was paused as a whole may not count the pause. Then only the wall clock
   * shows it.
   */
  readonly sinceBoot?: () => number;
}

export interface SteadyClock extends Clock {
  /**
   * Milliseconds since an unknown moment. For each interval, counts the largest time that any of the machine's clocks shows. Use this for
   * periods that others count down, too, and that this process must not consider valid for longer than they do.
   */
  elapsed(): number;
}

const MACHINE: TimeSources = { wall: Date.now, monotonic: () => performance.now(), sinceBoot: () => uptime() * 1_000 };

/**
 * Creates a clock that never jumps. Due times are kept as moments: if the machine's clock were set back by an hour, nothing would be done
 * for an hour; if it were set ahead, every grace period and backoff would be over at once. Instead, this clock works off a difference to
 * the machine's clock: at twice the pace if it is behind, at nine tenths if it is ahead, so that an interval is never more than a ninth
 * longer.
 */
export function createSteadyClock(sources: TimeSources = MACHINE): SteadyClock {
  const { wall, monotonic } = sources;
  let shown = wall();
  let at = monotonic();
  return {
    elapsed: createElapsed(sources),
    monotonic,
    now: () => {
      const real = monotonic();
      const elapsed = real - at;
      const behind = wall() - (shown + elapsed);
      at = real;
      shown += elapsed + Math.max(-elapsed * HOLD_BACK, Math.min(elapsed * CATCH_UP, behind));
      return Math.floor(shown);
    },
    sleep: (milliseconds, signal) => systemClock.sleep(milliseconds, signal),
  };
}

function createElapsed({ wall, monotonic, sinceBoot = monotonic }: TimeSources): () => number {
  const readClocks = (): readonly number[] => [wall(), monotonic(), sinceBoot()];
  let last = readClocks();
  let elapsed = 0;
  return () => {
    const now = readClocks();
    elapsed += Math.max(0, ...now.map((moment, index) => moment - (last[index] ?? moment)));
    last = now;
    return elapsed;
  };
}
