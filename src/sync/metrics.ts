import type { Counter, Gauge, Histogram, Registry } from "prom-client";
import { SYNC_REASONS } from "../domain/reasons.ts";
import { metricsIn } from "../runtime/metrics.ts";
import { type ClassFacts, createClassMetrics } from "./classes/class-metrics.ts";
import { createQueueMetrics, type QueueMetrics } from "./queue-metrics.ts";

/**
 * Bucket limits in seconds. A class with a few objects takes some requests to its vault and a few writes. A class that is held up gives up
 * after seconds.
 */
const DURATION_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface SyncMetrics {
  /** Finished reconciles of a class that queried the vault, by reason. */
  readonly syncs: Counter<"reason">;
  /** Time from the request to the vault until the written status. */
  readonly syncDuration: Histogram;
  /** Writes to Secrets, by action. */
  readonly secretWrites: Counter<"action">;
  /** Secrets that the worker restored after someone had edited or deleted them. */
  readonly driftRepairs: Counter<"damage">;
  readonly crdsHealed: Counter;
  readonly classesRestored: Counter;
  readonly classesRepaired: Counter;
  readonly isLeader: Gauge;
  readonly shards: Gauge;
  readonly isFrozen: Gauge;
  /** 1 for each policy that denies nothing, or that the worker cannot test. A policy has no value before its first test. */
  readonly guardrailsMissing: Gauge<"policy">;
  readonly queue: QueueMetrics;
  /** Sets the source of the gauges about classes. */
  observeClasses(facts: ClassFacts): void;
  /** Sets the source of the number of events that were never posted. */
  observeDroppedEvents(dropped: () => number): void;
}

export function createSyncMetrics(registry: Registry): SyncMetrics {
  const { counter, gauge, histogram } = metricsIn(registry);
  const guardrailsMissing = gauge(
    "guardrails_missing",
    "1 while a policy that limits the worker denies nothing, or while the worker cannot test whether it does.",
    ["policy"],
  );
  let droppedEvents = (): number => 0;
  counter(
    "events_dropped_total",
    "Events that were not posted, because too many were waiting in a namespace, the API server rejected them, or the worker stopped.",
    {},
    (own) => {
      own.reset();
      own.inc(droppedEvents());
    },
  );
  return {
    syncs: counter("sync_total", "Checks of a class against its vault, by resulting reason.", { reason: SYNC_REASONS }),
    syncDuration: histogram(
      "sync_duration_seconds",
      "Duration of checks of a class against its vault, from the request to the written status.",
      DURATION_BUCKETS,
    ),
    secretWrites: counter("secret_writes_total", "Writes to Kubernetes Secrets, by action.", {
      action: ["create", "apply", "replace", "delete", "adopt", "release", "leave"],
    }),
    driftRepairs: counter("drift_repairs_total", "Secrets restored after someone else edited or deleted them, by damage.", {
      damage: ["edited", "deleted"],
    }),
    crdsHealed: counter("crds_healed_total", "CRDs applied again or repaired."),
    classesRestored: counter("classes_restored_total", "SecretProviderClasses recreated from their snapshot."),
    classesRepaired: counter(
      "classes_repaired_total",
      "SecretProviderClasses whose fields a damaged CRD had removed, and that were completed from their snapshot.",
    ),
    guardrailsMissing,
    isFrozen: gauge("frozen", "1 while the class CRD is damaged, or its state is not known yet, and the worker does not act on classes."),
    isLeader: gauge("leader", "1 while this replica leads its shard, or the whole install if it has one shard."),
    shards: gauge("shards", "Number of leaders that the install needs, as this replica is configured."),
    queue: createQueueMetrics(registry),
    observeClasses: createClassMetrics(registry),
    observeDroppedEvents: (dropped) => {
      droppedEvents = dropped;
    },
  };
}
