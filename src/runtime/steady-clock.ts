import { uptime } from "node:os";
import type { Clock } from "../domain/ports/clock.ts";
import { systemClock } from "./clock.ts";

/** How much faster than real time this clock goes at most, while it catches up, and how much slower, while it waits. */
const CATCH_UP = 1;
const HOLD_BACK = 0.1;

export interface TimeSources {
  /** Unix milliseconds, which may be set at any time. */
  readonly wall: () => number;
  /** Milliseconds that only ever grow, at the pace of real time. On Linux it stands still while the machine sleeps. */
  readonly monotonic: () => number;
  /** The same, with the time asleep. A virtual machine that was paused as a whole may not know of it, and is told by the wall alone. */
  readonly sinceBoot?: () => number;
}

export interface SteadyClock extends Clock {
  /**
   * Milliseconds since an unknown moment: of each stretch as much as passed by whichever of the machine's clocks saw most of it. For what
   * others count down too, and must not be believed for longer than they do.
   */
  elapsed(): number;
}

const MACHINE: TimeSources = { wall: Date.now, monotonic: () => performance.now(), sinceBoot: () => uptime() * 1_000 };

/**
 * A clock that never jumps. What falls due is kept as a moment: if the machine's clock were set back by an hour, nothing would be done for
 * an hour; set ahead, every grace and back-off would be over at once. A difference to the machine's clock is worked off instead: at twice the
 * pace where we are behind, at nine tenths where we are ahead, so that an interval is never more than a ninth longer.
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
  const look = (): readonly number[] => [wall(), monotonic(), sinceBoot()];
  let last = look();
  let elapsed = 0;
  return () => {
    const now = look();
    elapsed += Math.max(0, ...now.map((moment, index) => moment - (last[index] ?? moment)));
    last = now;
    return elapsed;
  };
}
