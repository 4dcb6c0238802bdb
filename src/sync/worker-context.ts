import type { SecretProviderClass } from "../domain/kubernetes.ts";
import type { Clock, EventSink, KubeClient, Logger, Reflector } from "../domain/ports.ts";
import type { ClassMemories } from "./class-memory.ts";
import type { Consumers } from "./consumers.ts";
import type { Fingerprints } from "./content-hmac.ts";
import type { CrdGate } from "./crd-gate.ts";
import type { SyncMetrics } from "./metrics.ts";
import type { Mirror } from "./mirror.ts";
import type { SecretStore } from "./secret-store.ts";
import type { Snapshots } from "./snapshots.ts";
import type { StatusStore } from "./status-store.ts";

export interface WorkerSettings {
  readonly syncSecret: boolean;
  readonly enableSecretRotation: boolean;
  /** Milliseconds. */
  readonly rotationPollInterval: number;
  readonly syncMode: "always" | "never";
  /** `--heal=classes` */
  readonly restoresClasses: boolean;
  /** Uid of the kube-system namespace. */
  readonly cluster: string;
}

/** Everything that a reconcile of one class reads and writes through. */
export interface WorkerContext {
  readonly settings: WorkerSettings;
  readonly kube: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventSink;
  readonly metrics: SyncMetrics;
  readonly fingerprints: Fingerprints;
  readonly classes: Reflector<SecretProviderClass>;
  readonly secrets: SecretStore;
  readonly snapshots: Snapshots;
  readonly statuses: StatusStore;
  readonly consumers: Consumers;
  readonly gate: CrdGate;
  readonly memories: ClassMemories;
  /** Puts a class (`namespace/name`) on the queue. */
  readonly lookAt: (classKey: string) => void;
  /** From 0 to 1, for spreading retries. */
  readonly random: () => number;
  /** Asks the vault what the class's Secrets should be. */
  readonly mirror: (provider: SecretProviderClass, signal: AbortSignal) => Promise<Mirror>;
}

/** What the queue should do with the key next. Milliseconds. */
export type ClassResult = { readonly kind: "done" } | { readonly kind: "again"; readonly after: number };
