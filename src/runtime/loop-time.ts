/** As long as the event loop takes no longer for a round, its time is that of the clock. */
const BEAT_MS = 50;

/**
 * Milliseconds in which the event loop came round. While it is held up nobody's bytes are read, and nobody is slow for that: time that
 * is counted against a peer is this one.
 */
export interface LoopTime {
  readonly now: () => number;
  /** Time passes from now on. */
  readonly start: () => void;
  /** Time stands until the next start: a process that nobody is connected to is not woken. */
  readonly stop: () => void;
}

/** It stands until it is started. */
export function createLoopTime(): LoopTime {
  let beats = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    now: () => beats * BEAT_MS,
    start: () => {
      timer ??= setInterval(() => {
        beats += 1;
      }, BEAT_MS).unref();
    },
    stop: () => {
      clearInterval(timer);
      timer = undefined;
    },
  };
}
