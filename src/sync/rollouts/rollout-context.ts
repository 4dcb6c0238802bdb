import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { ClusterControls } from "../../domain/rollout/controls.ts";
import type { HeldClasses } from "../classes/held-classes.ts";
import type { Reporter } from "../classes/report.ts";
import type { StatusStore } from "../classes/status-store.ts";
import type { CrdHealth } from "../healing/crd-health.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import type { ClusterSlots } from "./cluster-slots.ts";
import type { DriverRecords } from "./pod-files.ts";
import type { RolloutBudgets } from "./rollout-budgets.ts";
import type { RolloutMemory } from "./rollout-memory.ts";
import type { RolloutMetrics } from "./rollout-metrics.ts";
import type { MountsInput, VersionTimes } from "./rollout-versions.ts";
import type { RolloutWorkloads } from "./rollout-workloads.ts";
import type { RolloutWriter } from "./rollout-write.ts";

export interface RolloutSettings {
  /** `--max-rollouts-per-namespace` */
  readonly mostAtATime: number;
  /** `--rollout-timeout`, milliseconds. */
  readonly timeoutMs: number;
  readonly controls: ClusterControls;
  /** `--mounted-files-grace`, milliseconds. */
  readonly filesGraceMs: number;
  /** `--max-rollouts` */
  readonly mostInCluster: number;
  /** `--respect-disruption-budgets` */
  readonly respectsBudgets: boolean;
  /** `--restart-argo-rollouts` */
  readonly watchesArgo: boolean;
}

/** Parts of the worker that restarts need. */
export interface RolloutsWorker extends Reporter, Pick<MountsInput, "isSwitchedOff"> {
  readonly kube: KubeClient;
  readonly clock: Clock;
  readonly live: RolloutCaches;
}

/** Live copies of the cluster on which the decisions about restarts are based. */
export interface RolloutCaches {
  readonly classes: HeldClasses;
  readonly statuses: StatusStore;
  readonly secrets: SecretStore;
  readonly crdHealth: Pick<CrdHealth, "state">;
  /** State of the CRD of the driver's records. */
  readonly podStatusCrd: Pick<CrdHealth, "state">;
}

/** Everything through which the reconcile of a namespace reads and writes. */
export interface RolloutContext {
  readonly worker: RolloutsWorker;
  readonly settings: RolloutSettings;
  readonly workloads: RolloutWorkloads;
  readonly memory: RolloutMemory;
  readonly writer: RolloutWriter;
  /** Further limits on the start of a restart. `budgets`: undefined if the worker does not respect budgets. */
  readonly limits: { readonly slots: ClusterSlots; readonly budgets: RolloutBudgets | undefined };
  /** Times of the current versions, and the driver's records of mounted versions. */
  readonly versions: { readonly times: VersionTimes; readonly records: DriverRecords };
  readonly metrics: RolloutMetrics;
}
