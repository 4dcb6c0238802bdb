/** If no round of the event loop takes longer than this (milliseconds), its time equals the clock's. */
const BEAT_MS = 50;

/**
 * Milliseconds in which the event loop made progress. While it is blocked, it reads no peer's bytes, and no peer is slow because of that.
 * For this reason, this time is what counts against a peer.
 */
export interface LoopTime {
  readonly now: () => number;
  /** Starts the time. It stops when a beat finds that it is not needed. */
  readonly start: () => void;
}

/**
 * Creates a time that stands still until it is started. `isNeeded` returns whether anything is timed: a process without connections does
 * not wake up, and one that serves one request after the other creates no timer for each.
 */
export function createLoopTime(isNeeded: () => boolean): LoopTime {
  let beats = 0;
  let timer: NodeJS.Timeout | undefined;
  const beat = (): void => {
    beats += 1;
    if (isNeeded()) return;
    clearInterval(timer);
    timer = undefined;
  };
  return {
    now: () => beats * BEAT_MS,
    start: () => {
      timer ??= setInterval(beat, BEAT_MS).unref();
    },
  };
}
