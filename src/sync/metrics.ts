import { Counter, Gauge, type Registry } from "prom-client";
import { SYNC_REASONS } from "../domain/reasons.ts";
import type { ObjectExpiry } from "../domain/sync/object-expiry.ts";
import { METRIC_PREFIX } from "../runtime/metrics.ts";
import { GUARDRAILS } from "./guardrails.ts";

export interface SyncMetrics {
  /** Finished looks at a class that asked the vault, by reason. */
  readonly syncs: Counter<"reason">;
  /** Writes to Secrets, by action. */
  readonly secretWrites: Counter<"action">;
  /** Secrets that somebody had edited or deleted and that were brought back. */
  readonly driftRepairs: Counter<"damage">;
  readonly crdsHealed: Counter;
  readonly classesRestored: Counter;
  readonly classesRepaired: Counter;
  readonly isLeader: Gauge;
  readonly isFrozen: Gauge;
  /** 1 for each policy that stops nothing. */
  readonly guardrailsMissing: Gauge<"policy">;
  /** Where the gauge gets the number of waiting classes from. */
  observeQueue(depth: () => number): void;
  /** Where the gauge gets the objects from that expire first. */
  observeExpiries(expiries: () => readonly ObjectExpiry[]): void;
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
    help: "1 while a policy that limits the worker stops nothing.",
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
  let queueDepth = (): number => 0;
  let objectExpiries = (): readonly ObjectExpiry[] => [];
  const expiryGauge: Gauge = new Gauge({
    name: name("object_expiry_seconds"),
    help: "When mirrored objects expire, seconds since the epoch; of those that expire first.",
    labelNames: ["namespace", "class", "object"],
    registers,
    collect: () => {
      expiryGauge.reset();
      for (const { namespace, className, object, expires } of objectExpiries())
        expiryGauge.set({ namespace, class: className, object }, expires / 1_000);
    },
  });
  const gauge: Gauge = new Gauge({
    name: name("queue_depth"),
    help: "Classes waiting to be looked at.",
    registers,
    collect: () => gauge.set(queueDepth()),
  });
  return {
    syncs,
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
    isLeader: new Gauge({ name: name("leader"), help: "1 while this replica is the one that works.", registers }),
    observeQueue: (depth) => {
      queueDepth = depth;
    },
    observeExpiries: (expiries) => {
      objectExpiries = expiries;
    },
  };
}
