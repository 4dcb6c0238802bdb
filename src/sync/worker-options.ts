import type { RenderOptions } from "../domain/content/render.ts";
import type { Decoder } from "../domain/ports/decoder.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import type { KubeWatcher } from "../domain/ports/kube-watcher.ts";
import type { VaultClients } from "../domain/ports/vault-client.ts";
import type { OperatorLimits } from "../domain/provider-class/operator-limits.ts";
import type { ReadCloudFile } from "../domain/provider-class/parameters.ts";
import type { Config } from "../runtime/config.ts";
import type { WorkQueue } from "../runtime/workqueue.ts";
import type { PollProgress } from "./classes/poll-progress.ts";
import type { Gateways } from "./gateways/gateways.ts";
import type { HealingOptions } from "./healing/heal-context.ts";
import type { ProcessParts } from "./process-parts.ts";
import type { createPush } from "./push/push.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Rollouts } from "./rollouts/rollouts.ts";
import type { ServedShard } from "./shard.ts";
import type { Leadership } from "./vault/vault-gate.ts";
import type { VaultMetrics } from "./vault/vault-metrics.ts";
import type { WorkerSettings } from "./worker-settings.ts";

/** Everything that the worker of a leader works with, by part. */
export interface WorkerOptions {
  readonly settings: WorkerSettings;
  readonly install: InstallOptions;
  readonly healing: HealingOptions;
  readonly api: ApiOptions;
  readonly vaults: VaultOptions;
  readonly polling: PollingOptions;
  readonly parts: WorkerParts;
  readonly process: ProcessParts;
}

/** The install, and the leader's share of it. */
export interface InstallOptions extends Pick<Config, "namespace" | "namespaces"> {
  readonly shard: ServedShard;
}

export interface ApiOptions {
  readonly kube: KubeClient;
  /** Client only for attempts at what policies forbid. */
  readonly probe: KubeClient;
  /** `--secret-access=blind` */
  readonly isBlind: boolean;
  /** Watcher without the objects in namespaces of other shards. */
  readonly watcher: KubeWatcher;
  /** Watcher for objects that a shard has in the namespaces of others. */
  readonly watcherOfAllShards: KubeWatcher;
}

/** Options for the way from a class to its values. */
export interface VaultOptions {
  readonly vaults: VaultClients;
  readonly credentialsSecretNames: readonly string[];
  readonly limits: OperatorLimits;
  readonly readCloudFile: ReadCloudFile | undefined;
  readonly render: RenderOptions;
  readonly decoder: Decoder;
  readonly vaultMetrics: VaultMetrics;
}

export interface PollingOptions {
  /** Progress that leaders pass on to each other; undefined if no leader comes before or after this one. */
  readonly progress?: PollProgress | undefined;
  /** Leadership, as the gate of a vault needs it. */
  readonly leadership?: Leadership | undefined;
  readonly quarantine: Quarantine;
  /** Called with the class queue, for health checks. */
  readonly observeQueue?: (queue: Pick<WorkQueue, "stalledMs">) => void;
}

/** Parts that run beside the reconcile of classes. */
export interface WorkerParts {
  /** Undefined with `--restart-workloads=false`. */
  readonly rollouts: Rollouts | undefined;
  /** Undefined without `--gateway-classes` and `--ingress-classes`. */
  readonly gateways?: Gateways | undefined;
  /** Undefined without `--event-queues`. */
  readonly push?: Pick<ReturnType<typeof createPush>, "start"> | undefined;
}
