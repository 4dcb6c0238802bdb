import { Counter, Gauge, type Registry } from "prom-client";
import { SYNC_REASONS } from "../domain/reasons.ts";
import { METRIC_PREFIX } from "../runtime/metrics.ts";

export interface SyncMetrics {
  /** Finished looks at a class that asked the vault, by reason. */
  readonly syncs: Counter<"reason">;
  /** Writes to Secrets, by action. */
  readonly secretWrites: Counter<"action">;
  readonly crdsHealed: Counter;
  readonly classesRestored: Counter;
  readonly classesRepaired: Counter;
  readonly isLeader: Gauge;
  readonly isFrozen: Gauge;
  /** Where the gauge gets the number of waiting classes from. */
  observeQueue(depth: () => number): void;
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
  for (const action of ["create", "apply", "replace", "delete"]) secretWrites.inc({ action }, 0);
  let queueDepth = (): number => 0;
  const gauge: Gauge = new Gauge({
    name: name("queue_depth"),
    help: "Classes waiting to be looked at.",
    registers,
    collect: () => gauge.set(queueDepth()),
  });
  return {
    syncs,
    secretWrites,
    crdsHealed: counter("crds_healed_total", "CRDs applied again or repaired."),
    classesRestored: counter("classes_restored_total", "SecretProviderClasses made again from their snapshot."),
    classesRepaired: counter(
      "classes_repaired_total",
      "SecretProviderClasses whose fields a damaged CRD had cut and that were completed from their snapshot.",
    ),
    isFrozen: new Gauge({
      name: name("frozen"),
      help: "1 while the class CRD is not whole, or not known yet, and nothing is changed because of classes.",
      registers,
    }),
    isLeader: new Gauge({ name: name("leader"), help: "1 while this replica is the one that works.", registers }),
    observeQueue: (depth) => {
      queueDepth = depth;
    },
  };
}
