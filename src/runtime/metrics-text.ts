import type { Registry } from "prom-client";

/** Part of the process's time that collections can use. */
const SHARE = 0.1;
/** Collection time in milliseconds that accumulates while no client requests the metrics. Ordinary scrapes never use it up. */
const MOST_SAVED_MS = 2_000;
/** Greatest age in milliseconds of a text. */
const MOST_AGE_MS = 5_000;

/**
 * Returns a function that resolves with the text of the metrics. A collection reads the state of every class, and any client that reaches
 * the port can request it. Requests therefore share a running collection, and after many collections in a row they share its text for a
 * while. `now`: milliseconds of a clock that does not jump.
 */
export function createMetricsText(registry: Pick<Registry, "metrics">, now: () => number = () => performance.now()): () => Promise<string> {
  let kept: Promise<string> | undefined;
  let isRunning = false;
  let saved = MOST_SAVED_MS;
  let savedAt = now();
  const save = (): void => {
    const time = now();
    saved = Math.min(MOST_SAVED_MS, saved + SHARE * (time - savedAt));
    savedAt = time;
  };
  const collect = async (): Promise<string> => {
    const began = now();
    isRunning = true;
    try {
      return await registry.metrics();
    } finally {
      isRunning = false;
      saved = Math.max(-SHARE * MOST_AGE_MS, saved - (now() - began));
    }
  };
  return () => {
    save();
    if (kept === undefined || (!isRunning && saved > 0)) kept = collect();
    return kept;
  };
}
