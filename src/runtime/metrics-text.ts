import type { Registry } from "prom-client";
import { type ShareLimits, TimeShare } from "./time-share.ts";

/** Part of the process's time that collections can use. No text is older than five seconds. */
const LIMITS: ShareLimits = { perSecond: 100, burst: 2_000, mostOwed: 500 };

/**
 * Returns a function that resolves with the text of the metrics. A collection reads the state of every class, and any client that reaches
 * the port can request it. Requests therefore share a running collection, and after many collections in a row they share its text for a
 * while. `now`: milliseconds of a clock that does not jump.
 */
export function createMetricsText(registry: Pick<Registry, "metrics">, now: () => number = () => performance.now()): () => Promise<string> {
  let kept: Promise<string> | undefined;
  let isRunning = false;
  const share = new TimeShare(LIMITS, now);
  const collect = async (): Promise<string> => {
    const began = now();
    isRunning = true;
    try {
      return await registry.metrics();
    } finally {
      isRunning = false;
      share.spent(now() - began);
    }
  };
  return () => {
    if (kept === undefined || (!isRunning && share.restMs === 0)) kept = collect();
    return kept;
  };
}
