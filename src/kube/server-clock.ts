import type { Clock } from "../domain/ports/clock.ts";

/** The API server's clock, as far as its responses show it. */
export interface ServerClock {
  /** Call this for every response, with its header `Date`. */
  noteDate(date: string | readonly string[] | undefined): void;
  /** Milliseconds by which the API server's clock is ahead of this machine's; 0 if no response has shown it, or they are nearly equal. */
  offsetMs(): number;
}

/** The header has whole seconds, and arrives later than it was written. */
const UNCERTAINTY_MS = 2_000;

export function createServerClock({ now }: Pick<Clock, "now">): ServerClock {
  let offset = 0;
  return {
    noteDate: (date) => {
      const at = typeof date === "string" ? Date.parse(date) : Number.NaN;
      if (!Number.isNaN(at)) offset = at + 500 - now();
    },
    offsetMs: () => (Math.abs(offset) < UNCERTAINTY_MS ? 0 : offset),
  };
}
