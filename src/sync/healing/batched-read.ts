import { unlessAborted } from "../../runtime/lifecycle.ts";

/** Covers the API server's own time-out; whoever asks has a signal of their own besides (milliseconds). */
const LONGEST_READ_MS = 30_000;

interface Batch<T> {
  readonly answer: Promise<T>;
  hasBegun: boolean;
}

/**
 * One read at a time for all who want to know the same: who asks while one is under way gets the answer of the next, so that no answer
 * is older than its question. Nobody's signal ends what others wait for.
 */
export function batchedRead<T>(read: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let last: Batch<T> | undefined;
  const begin = async (batch: { hasBegun: boolean }, before: Promise<unknown> | undefined): Promise<T> => {
    await before?.catch(() => undefined);
    batch.hasBegun = true;
    return read(AbortSignal.timeout(LONGEST_READ_MS));
  };
  return async (signal) => {
    signal.throwIfAborted();
    if (last === undefined || last.hasBegun) {
      const state = { hasBegun: false };
      const batch: Batch<T> = Object.assign(state, { answer: begin(state, last?.answer) });
      // Whoever waits for it hears of its failure; the next batch only waits for its end.
      batch.answer.catch(() => undefined);
      last = batch;
    }
    return unlessAborted(last.answer, signal);
  };
}
