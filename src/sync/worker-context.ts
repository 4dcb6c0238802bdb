import type { SecretProviderClass } from "../domain/kubernetes.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { EventSink } from "../domain/ports/event-sink.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import type { Logger } from "../domain/ports/logger.ts";
import type { PolledUntil } from "../domain/schedule/phase.ts";
import type { SyncMode } from "../domain/schedule/sync-mode.ts";
import type { Claims } from "../domain/sync/claims.ts";
import type { ClassMemories } from "./classes/class-memory.ts";
import type { Consumers } from "./classes/consumers.ts";
import type { HeldClasses } from "./classes/held-classes.ts";
import type { StatusStore } from "./classes/status-store.ts";
import type { Fingerprints } from "./fingerprints.ts";
import type { Guardrails } from "./guardrails.ts";
import type { CrdGate } from "./healing/crd-gate.ts";
import type { Snapshots } from "./healing/snapshots.ts";
import type { SyncMetrics } from "./metrics.ts";
import type { BlindSecrets } from "./secrets/blind-secrets.ts";
import type { DriverSync } from "./secrets/driver-sync.ts";
import type { SecretStore } from "./secrets/secret-store.ts";
import type { Mirror } from "./vault/mirror.ts";
import type { Question } from "./vault/vault-question.ts";

export interface WorkerSettings {
  readonly syncSecret: boolean;
  readonly enableSecretRotation: boolean;
  /** Milliseconds. */
  readonly rotationPollInterval: number;
  readonly syncMode: SyncMode;
  /** How long the Secrets of a `while-used` class outlive its last consumer. Milliseconds. */
  readonly unusedGrace: number;
  /** How long before an object expires its class is warned. Milliseconds. */
  readonly expiryWarning: number;
  /** `--adopt-driver-secrets` */
  readonly adoptsDriverSecrets: boolean;
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
  readonly classes: HeldClasses;
  /** Which class names which Secret. */
  readonly claims: Claims;
  readonly secrets: SecretStore;
  readonly snapshots: Snapshots;
  readonly statuses: StatusStore;
  readonly consumers: Consumers;
  /** Secrets by the worker's own word, with `--secret-access=blind`; `secrets` is then the same store. */
  readonly blind: BlindSecrets | undefined;
  /** Of the CSI driver; undefined where nothing of it is looked at. */
  readonly driverSync: DriverSync | undefined;
  readonly guardrails: Guardrails;
  readonly gate: CrdGate;
  readonly memories: ClassMemories;
  readonly polledUntil: PolledUntil;
  /** Puts a class (`namespace/name`) on the queue. */
  readonly lookAt: (classKey: string) => void;
  /** Why nothing is changed because of classes, and since when (Unix milliseconds). */
  readonly tellFreeze: (why: string, since: number) => void;
  /** From 0 to 1, for spreading retries. */
  readonly random: () => number;
  /** Asks the vault what the class's Secrets should be. */
  readonly mirror: (provider: SecretProviderClass, question: Question, signal: AbortSignal) => Promise<Mirror>;
}

/** What the queue should do with the key next. Milliseconds. */
export type ClassResult = { readonly kind: "done" } | { readonly kind: "again"; readonly after: number };
