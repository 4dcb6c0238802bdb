/** As long as the event loop takes no longer for a round, its time is that of the clock. */
const BEAT_MS = 50;

/**
 * Milliseconds in which the event loop came round. While it is held up nobody's bytes are read, and nobody is slow for that: time that
 * is counted against a peer is this one.
 */
export interface LoopTime {
  readonly now: () => number;
  /** Time passes from now on, until a beat finds that it is not needed. */
  readonly start: () => void;
}

/**
 * It stands until it is started. `isNeeded`: whether something is timed: a process that nobody is connected to is not woken, and one that serves
 * a request after the other makes no timer for each.
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
