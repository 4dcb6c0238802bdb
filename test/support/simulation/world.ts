import path from "node:path";
import { Registry } from "prom-client";
import { type KubeObject, type ObjectRef, RESOURCES, type Secret, type SecretProviderClass } from "../../../src/domain/kubernetes.ts";
import type { Clock } from "../../../src/domain/ports/clock.ts";
import type { EventSink } from "../../../src/domain/ports/event-sink.ts";
import type { KubeClient } from "../../../src/domain/ports/kube-client.ts";
import type { VaultClients } from "../../../src/domain/ports/vault-client.ts";
import { conditionOf } from "../../../src/domain/sync/class-status.ts";
import type { ClassStatus } from "../../../src/domain/sync/status-fields.ts";
import { readStatus, type SecretProviderClassSync } from "../../../src/domain/sync/stored-status.ts";
import { pki } from "../../../src/pki/pki.ts";
import { createComponentMetrics } from "../../../src/sync/healing/component-metrics.ts";
import { readCrds } from "../../../src/sync/healing/crd-files.ts";
import { createSyncMetrics } from "../../../src/sync/metrics.ts";
import type { ProcessParts } from "../../../src/sync/process-parts.ts";
import { Quarantine } from "../../../src/sync/quarantine.ts";
import { createVaultMetrics } from "../../../src/sync/vault/vault-metrics.ts";
import { runWorker } from "../../../src/sync/worker.ts";
import type { PollingOptions, WorkerOptions, WorkerParts } from "../../../src/sync/worker-options.ts";
import { ManualClock } from "../time/manual-clock.ts";
import { decodingHere } from "../worker/decoding-here.ts";
import { ListedVaults } from "../worker/listed-vault.ts";
import { recordingLogger } from "../worker/recording-logger.ts";
import { SimulatedCluster, withoutRight } from "./cluster.ts";

/** Poll interval of the shipped default (milliseconds). */
export const INTERVAL = 120_000;

const NAMESPACE = "keyvault-injector";
const TENANT = "aaaaaaaa-0000-0000-0000-000000000001";

export interface SimulatedClass {
  readonly namespace: string;
  readonly name: string;
  /** Names of secrets in the vault, each synced into a Secret `<class>-<object>`. */
  readonly objects: readonly string[];
  readonly vault?: string;
  /** Client id of the managed identity that it uses. */
  readonly identity?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

type Emitted = Parameters<EventSink["emit"]>[0];

/** The leader's work on an in-memory cluster and in-memory vaults, with a clock that only the test advances. */
export class SimulatedWorld {
  readonly clock = new ManualClock();
  readonly cluster = new SimulatedCluster(this.clock);
  readonly vaults = new ListedVaults(this.clock);
  readonly logger = recordingLogger();
  readonly events: Emitted[] = [];
  registry = new Registry();

  constructor() {
    this.cluster.put(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "kube-system" } });
    for (const crd of readCrds(path.resolve(import.meta.dirname, "../../../manifests/crds"))) {
      const status = { conditions: [{ type: "Established", status: "True" }] };
      this.cluster.put(RESOURCES.customResourceDefinitions, { ...crd, status } as KubeObject);
    }
  }

  /** Applies the class like its author. */
  apply(facts: SimulatedClass): void {
    this.cluster.put(RESOURCES.secretProviderClasses, classOf(facts));
  }

  status(ref: ObjectRef): ClassStatus | undefined {
    const object = this.cluster.get<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs, ref);
    return readStatus(object?.status);
  }

  /** The condition as `True Synced`. */
  condition(ref: ObjectRef, type: "Ready" | "Reconciling" | "Stalled" | "Synced" | "Fresh"): string {
    const found = conditionOf(this.status(ref), type);
    return found === undefined ? "none" : `${found.status} ${found.reason}`;
  }

  /** Value of the key `value` in the Secret. */
  value(ref: ObjectRef): string | undefined {
    const encoded = this.cluster.get<Secret>(RESOURCES.secrets, ref)?.data?.["value"];
    return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString();
  }

  /** Clock of a machine that is ahead of all others. */
  clockAhead(milliseconds: number): Clock {
    return { now: () => this.clock.now() + milliseconds, sleep: (asked, signal) => this.clock.sleep(asked, signal) };
  }

  /** Starts a process that becomes the leader. */
  lead(options: LeadOptions = {}): Leader {
    this.registry = new Registry();
    const stop = new AbortController();
    const ended = runWorker(this.#options(options), stop.signal);
    // A stop is not a failure. A caller that awaits `ended` gets the failure.
    ended.catch(() => undefined);
    return {
      ended,
      stop: async () => {
        stop.abort(new Error("the test stops the worker"));
        await this.clock.advance(0);
        await ended.catch(() => undefined);
      },
    };
  }

  #options({
    settings,
    rollouts,
    push,
    gateways,
    clock = this.clock,
    vaults = this.vaults,
    probe = refusing(),
    ...polling
  }: LeadOptions): WorkerOptions {
    const { registry, logger } = this;
    return {
      settings: { ...SETTINGS, ...settings },
      install: { namespace: NAMESPACE, namespaces: [], shard: { index: 0, count: 1, isFirst: true, serves: () => true } },
      healing: {
        heal: [],
        healNodeSide: false,
        healWebhook: true,
        crds: readCrds(path.resolve(import.meta.dirname, "../../../manifests/crds")),
        componentMetrics: createComponentMetrics(registry),
      },
      api: {
        kube: this.cluster.client,
        probe,
        isBlind: false,
        watcher: this.cluster.watcher,
        watcherOfAllShards: this.cluster.watcher,
      },
      vaults: {
        vaults,
        credentialsSecretNames: ["secrets-store-creds"],
        limits: { allowedVaults: [], allowedIdentityModes: [], managedIdentityNamespaces: ["*"], cloudName: "AzurePublicCloud" },
        readCloudFile: undefined,
        render: { pki, constructPemChain: true, writeCertAndKeyInSeparateFiles: false },
        decoder: decodingHere,
        vaultMetrics: createVaultMetrics(registry),
      },
      polling: { quarantine: new Quarantine({ version: "test", clock: this.clock, logger, store: async () => undefined }), ...polling },
      parts: { rollouts, push, gateways },
      process: {
        clock,
        logger,
        random: () => 0.5,
        events: { emit: (event) => void this.events.push(event) },
        metrics: createSyncMetrics(registry),
      },
    };
  }
}

export interface LeadOptions
  extends Partial<WorkerParts>,
    Partial<Pick<ProcessParts, "clock">>,
    Partial<Pick<PollingOptions, "progress" | "observeQueue">> {
  readonly settings?: Partial<WorkerOptions["settings"]>;
  readonly vaults?: VaultClients;
  /** Client of the tests of the policies. */
  readonly probe?: KubeClient;
}

export interface Leader {
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const SETTINGS: WorkerOptions["settings"] = {
  syncSecret: true,
  enableSecretRotation: true,
  rotationPollInterval: INTERVAL,
  syncMode: "always",
  unusedGrace: 300_000,
  expiryWarning: 0,
  adoptDriverSecrets: true,
  heal: ["classes"],
};

/** A client that rejects all requests, because the worker has no right to the requests that policies forbid. */
function refusing(): KubeClient {
  const refuse = async (): Promise<never> => {
    await Promise.resolve();
    throw withoutRight();
  };
  return {
    read: refuse,
    readMetadata: refuse,
    list: refuse,
    create: refuse,
    replace: refuse,
    apply: refuse,
    mergePatch: refuse,
    delete: refuse,
    requestToken: refuse,
  };
}

export function classOf({
  namespace,
  name,
  objects,
  vault = "vault-1",
  identity = "app",
  annotations = {},
}: SimulatedClass): SecretProviderClass {
  const array = objects.map((object) => `  - |\n    objectName: ${object}\n    objectType: secret\n`);
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace, name, annotations },
    spec: {
      provider: "azure",
      parameters: {
        keyvaultName: vault,
        tenantId: TENANT,
        useVMManagedIdentity: "true",
        userAssignedIdentityID: identity,
        objects: `array:\n${array.join("")}`,
      },
      secretObjects: objects.map((object) => ({
        secretName: `${name}-${object}`,
        type: "Opaque",
        data: [{ objectName: object, key: "value" }],
      })),
    },
  };
}
