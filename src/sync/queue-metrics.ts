import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { METRIC_PREFIX } from "../runtime/metrics.ts";
import type { Outcome, WorkQueue, WorkQueueObserver } from "../runtime/workqueue.ts";

export interface QueueMetrics {
  /** For the queue of classes to tell. */
  readonly observer: WorkQueueObserver;
  /** Where the gauges get their values from. */
  observe(queue: Pick<WorkQueue, "depth" | "oldestWaitMs">): void;
}

/** From a queue that is idle to one that is minutes behind. */
const WAIT_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

const OUTCOMES: readonly Outcome["kind"][] = ["done", "requeueAfter", "retry", "terminal"];

export function createQueueMetrics(registry: Registry): QueueMetrics {
  const registers = [registry];
  const name = (suffix: string): string => `${METRIC_PREFIX}queue_${suffix}`;
  let queue: Pick<WorkQueue, "depth" | "oldestWaitMs"> = { depth: 0, oldestWaitMs: 0 };
  const depth: Gauge = new Gauge({
    name: name("depth"),
    help: "Classes waiting to be looked at.",
    registers,
    collect: () => depth.set(queue.depth),
  });
  const oldest: Gauge = new Gauge({
    name: name("oldest_wait_seconds"),
    help: "How long the class has waited that has waited longest.",
    registers,
    collect: () => oldest.set(queue.oldestWaitMs / 1_000),
  });
  const wait = new Histogram({
    name: name("wait_seconds"),
    help: "From the moment at which a class was due to the look at it.",
    buckets: WAIT_BUCKETS,
    registers,
  });
  const runs = new Counter({ name: name("runs_total"), help: "Looks at a class, by how they ended.", labelNames: ["outcome"], registers });
  for (const outcome of OUTCOMES) runs.inc({ outcome }, 0);
  return {
    observer: {
      onStarted: (waitedMs) => wait.observe(waitedMs / 1_000),
      onEnded: (outcome) => runs.inc({ outcome }),
    },
    observe: (observed) => {
      queue = observed;
    },
  };
}
