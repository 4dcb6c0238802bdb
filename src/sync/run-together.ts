/** Runs all parts at the same time. If one of them fails, first stops the others: no part writes any more when this ends. */
export async function runTogether(parts: readonly ((signal: AbortSignal) => Promise<void>)[], signal: AbortSignal): Promise<void> {
  const failure = new AbortController();
  const runs = parts.map((run) => run(AbortSignal.any([signal, failure.signal])));
  try {
    await Promise.all(runs);
  } finally {
    failure.abort();
    await Promise.allSettled(runs);
  }
}
