/** As long as the event loop takes no longer for a round, its time is that of the clock. */
const BEAT_MS = 50;

/**
 * Milliseconds in which the event loop came round. While it is held up nobody's bytes are read, and nobody is slow for that: time that
 * is counted against a peer is this one.
 */
export function createLoopTime(): () => number {
  let beats = 0;
  setInterval(() => {
    beats += 1;
  }, BEAT_MS).unref();
  return () => beats * BEAT_MS;
}
