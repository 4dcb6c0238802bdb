import type { RenderOptions } from "../domain/content/render.ts";
import type { CustomResourceDefinition } from "../domain/healing/crd.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { Decoder } from "../domain/ports/decoder.ts";
import type { EventSink } from "../domain/ports/event-sink.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import type { KubeWatcher } from "../domain/ports/kube-watcher.ts";
import type { Logger } from "../domain/ports/logger.ts";
import type { VaultClients } from "../domain/ports/vault-client.ts";
import type { OperatorLimits } from "../domain/provider-class/operator-limits.ts";
import type { ReadCloudFile } from "../domain/provider-class/parameters.ts";
import type { WorkQueue } from "../runtime/workqueue.ts";
import type { PollProgress } from "./classes/poll-progress.ts";
import type { Gateways } from "./gateways/gateways.ts";
import type { ComponentMetrics } from "./healing/component-metrics.ts";
import type { SyncMetrics } from "./metrics.ts";
import type { createPush } from "./push/push.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Rollouts } from "./rollouts/rollouts.ts";
import type { ServedShard } from "./shard.ts";
import type { VaultMetrics } from "./vault/vault-metrics.ts";
import type { WorkerSettings } from "./worker-settings.ts";

export interface WorkerOptions {
  readonly settings: WorkerSettings;
  /** `--heal=crds` */
  readonly healsCrds: boolean;
  /** `--heal=components` */
  readonly healsComponents: boolean;
  /** `--heal-node-side` */
  readonly healsNodeSide: boolean;
  /** `--heal-webhook` */
  readonly healsWebhook: boolean;
  readonly crds: readonly CustomResourceDefinition[];
  readonly namespace: string;
  readonly credentialsSecretNames: readonly string[];
  /** `--namespaces`; none: all. */
  readonly servedNamespaces?: readonly string[];
  readonly shard: ServedShard;
  readonly limits: OperatorLimits;
  readonly readCloudFile: ReadCloudFile | undefined;
  readonly kube: KubeClient;
  /** Only for trying what is forbidden. */
  readonly probe: KubeClient;
  /** `--secret-access=blind` */
  readonly isBlind: boolean;
  /** Without what is in namespaces of other shards. */
  readonly watcher: KubeWatcher;
  /** For what one shard has in namespaces of others. */
  readonly watcherOfAllShards: KubeWatcher;
  readonly vaults: VaultClients;
  readonly render: RenderOptions;
  /** Passed on from leader to leader; undefined: nobody knows of the one before, and nobody comes after. */
  readonly progress?: PollProgress | undefined;
  /** Up to then another one may have asked vaults, by the clock's monotonic time. Undefined: nobody has. */
  readonly leadingSince?: number;
  readonly decoder: Decoder;
  readonly quarantine: Quarantine;
  /** Undefined with `--restart-workloads=false`. */
  readonly rollouts: Rollouts | undefined;
  /** Undefined without `--gateway-classes` and `--ingress-classes`. */
  readonly gateways?: Gateways | undefined;
  /** Undefined without `--event-queues`. */
  readonly push?: Pick<ReturnType<typeof createPush>, "start"> | undefined;
  readonly events: EventSink;
  readonly metrics: SyncMetrics;
  readonly componentMetrics: ComponentMetrics;
  readonly vaultMetrics: VaultMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** Given the queue of classes, for health checks. */
  readonly observeQueue?: (queue: Pick<WorkQueue, "stalledMs">) => void;
}
