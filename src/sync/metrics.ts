import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { SYNC_REASONS } from "../domain/reasons.ts";
import { METRIC_PREFIX } from "../runtime/metrics.ts";
import { type ClassFacts, createClassMetrics } from "./classes/class-metrics.ts";
import { GUARDRAILS } from "./guardrails.ts";
import { createQueueMetrics, type QueueMetrics } from "./queue-metrics.ts";

/** A class of a few objects takes some requests to its vault and a few writes; one that is held up gives up after seconds. */
const DURATION_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface SyncMetrics {
  /** Finished looks at a class that asked the vault, by reason. */
  readonly syncs: Counter<"reason">;
  /** From the question to the written status. */
  readonly syncDuration: Histogram;
  /** Writes to Secrets, by action. */
  readonly secretWrites: Counter<"action">;
  /** Secrets that somebody had edited or deleted and that were brought back. */
  readonly driftRepairs: Counter<"damage">;
  readonly crdsHealed: Counter;
  readonly classesRestored: Counter;
  readonly classesRepaired: Counter;
  readonly isLeader: Gauge;
  readonly shards: Gauge;
  readonly isFrozen: Gauge;
  /** 1 for each policy that stops nothing. */
  readonly guardrailsMissing: Gauge<"policy">;
  readonly queue: QueueMetrics;
  /** Where the gauges about classes get their values from. */
  observeClasses(facts: ClassFacts): void;
  /** Where the counter gets the number of events from that were never posted. */
  observeDroppedEvents(dropped: () => number): void;
}

/** Every label value is there from the first scrape on, so that rates and alerts work before the first event. */
export function createSyncMetrics(registry: Registry): SyncMetrics {
  const registers = [registry];
  const name = (suffix: string): string => `${METRIC_PREFIX}${suffix}`;
  const counter = (suffix: string, help: string): Counter => new Counter({ name: name(suffix), help, registers });
  const syncs = new Counter({
    name: name("sync_total"),
    help: "Checks of a class against its vault, by resulting reason.",
    labelNames: ["reason"],
    registers,
  });
  for (const reason of SYNC_REASONS) syncs.inc({ reason }, 0);
  const secretWrites = new Counter({
    name: name("secret_writes_total"),
    help: "Writes to Kubernetes Secrets, by action.",
    labelNames: ["action"],
    registers,
  });
  for (const action of ["create", "apply", "replace", "delete", "adopt", "release", "leave"]) secretWrites.inc({ action }, 0);
  const guardrailsMissing = new Gauge({
    name: name("guardrails_missing"),
    help: "1 while a policy that limits the worker stops nothing, or while somebody else's refusal hides whether it does.",
    labelNames: ["policy"],
    registers,
  });
  for (const policy of GUARDRAILS) guardrailsMissing.set({ policy }, 0);
  const driftRepairs = new Counter({
    name: name("drift_repairs_total"),
    help: "Secrets brought back after somebody else had edited or deleted them, by damage.",
    labelNames: ["damage"],
    registers,
  });
  for (const damage of ["edited", "deleted"]) driftRepairs.inc({ damage }, 0);
  let droppedEvents = (): number => 0;
  const eventsDropped: Counter = new Counter({
    name: name("events_dropped_total"),
    help: "Events that were not posted: too many of a namespace waited, the API server refused them, or the worker stopped.",
    registers,
    collect: () => {
      eventsDropped.reset();
      eventsDropped.inc(droppedEvents());
    },
  });
  return {
    syncs,
    syncDuration: new Histogram({
      name: name("sync_duration_seconds"),
      help: "Checks of a class against its vault, from the question to the written status.",
      buckets: DURATION_BUCKETS,
      registers,
    }),
    secretWrites,
    driftRepairs,
    crdsHealed: counter("crds_healed_total", "CRDs applied again or repaired."),
    classesRestored: counter("classes_restored_total", "SecretProviderClasses made again from their snapshot."),
    classesRepaired: counter(
      "classes_repaired_total",
      "SecretProviderClasses whose fields a damaged CRD had cut and that were completed from their snapshot.",
    ),
    guardrailsMissing,
    isFrozen: new Gauge({
      name: name("frozen"),
      help: "1 while the class CRD is not whole, or not known yet, and nothing is changed because of classes.",
      registers,
    }),
    isLeader: new Gauge({
      name: name("leader"),
      help: "1 while this replica leads its shard, or the whole install if it has one shard.",
      registers,
    }),
    shards: new Gauge({
      name: name("shards"),
      help: "Number of leaders that the install needs, as this replica is configured.",
      registers,
    }),
    queue: createQueueMetrics(registry),
    observeClasses: createClassMetrics(registry),
    observeDroppedEvents: (dropped) => {
      droppedEvents = dropped;
    },
  };
}
