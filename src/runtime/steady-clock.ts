import type { Clock } from "../domain/ports/clock.ts";
import { systemClock } from "./clock.ts";

/** How much faster than real time this clock goes at most, while it catches up, and how much slower, while it waits. */
const CATCH_UP = 1;
const HOLD_BACK = 0.1;

export interface TimeSources {
  /** Unix milliseconds, which may be set at any time. */
  readonly wall: () => number;
  /** Milliseconds that only ever grow, at the pace of real time. */
  readonly monotonic: () => number;
}

/**
 * A clock that never jumps. What falls due is kept as a moment: if the machine's clock were set back by an hour, nothing would be done for
 * an hour; set ahead, every grace and back-off would be over at once. A difference to the machine's clock is worked off instead: at twice the
 * pace where we are behind, at nine tenths where we are ahead, so that an interval is never more than a ninth longer.
 */
export function createSteadyClock({ wall, monotonic }: TimeSources = { wall: Date.now, monotonic: () => performance.now() }): Clock {
  let shown = wall();
  let at = monotonic();
  return {
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
