import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../domain/ports/clock.ts";

/** The machine's own clock. Tests that depend on time pass another. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (milliseconds, signal) => {
    try {
      await wait(milliseconds, undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
};
