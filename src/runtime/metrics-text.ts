import type { Registry } from "prom-client";

/** A text serves for this many times as long as its collection took, so that collections use at most a tenth of the process's time. */
const KEPT_FACTOR = 9;
/** Longest time in milliseconds that a text serves, so that a scrape never shows an older state. */
const MOST_KEPT_MS = 5_000;

/**
 * Returns a function that resolves with the text of the metrics. A collection reads the state of every class, and any client that reaches
 * the port can request it. Requests during a collection, and shortly after it, therefore share its text. `now`: milliseconds of a clock
 * that does not jump.
 */
export function createMetricsText(registry: Pick<Registry, "metrics">, now: () => number = () => performance.now()): () => Promise<string> {
  let kept: Promise<string> | undefined;
  let until = 0;
  const collect = async (): Promise<string> => {
    const began = now();
    until = Number.POSITIVE_INFINITY;
    try {
      return await registry.metrics();
    } finally {
      const ended = now();
      until = ended + Math.min(MOST_KEPT_MS, KEPT_FACTOR * (ended - began));
    }
  };
  return () => {
    if (kept === undefined || now() >= until) kept = collect();
    return kept;
  };
}
