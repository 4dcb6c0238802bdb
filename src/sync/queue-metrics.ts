import type { Registry } from "prom-client";
import { metricsIn } from "../runtime/metrics.ts";
import type { Outcome, WorkQueue, WorkQueueObserver } from "../runtime/workqueue.ts";

export interface QueueMetrics {
  /** Observer that the class queue calls. */
  readonly observer: WorkQueueObserver;
  /** Sets the queue from which the gauges get their values. */
  observe(queue: Pick<WorkQueue, "depth" | "oldestWaitMs">): void;
}

/** Bucket limits in seconds: from an idle queue to one that is minutes behind. */
const WAIT_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

const OUTCOMES: readonly Outcome["kind"][] = ["done", "requeueAfter", "retry", "terminal"];

export function createQueueMetrics(registry: Registry): QueueMetrics {
  const { counter, histogram, observed } = metricsIn(registry);
  let queue: Pick<WorkQueue, "depth" | "oldestWaitMs"> = { depth: 0, oldestWaitMs: 0 };
  observed("queue_depth", "Classes waiting for a reconcile.", (own) => own.set(queue.depth));
  observed("queue_oldest_wait_seconds", "Time for which the longest-waiting class has waited.", (own) =>
    own.set(queue.oldestWaitMs / 1_000),
  );
  const wait = histogram("queue_wait_seconds", "Time from when a class was due until its reconcile.", WAIT_BUCKETS);
  const runs = counter("queue_runs_total", "Reconciles of a class, by result.", { outcome: OUTCOMES });
  return {
    observer: { onStarted: (waitedMs) => wait.observe(waitedMs / 1_000), onEnded: (outcome) => runs.inc({ outcome }) },
    observe: (observed) => {
      queue = observed;
    },
  };
}
