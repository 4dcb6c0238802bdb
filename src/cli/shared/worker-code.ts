import type { ObjectFile } from "../../domain/content/object-file.ts";
import type { RenderOptions } from "../../domain/content/render.ts";
import type { ClassSnapshot } from "../../domain/healing/snapshot.ts";
import type { InstallKey } from "../../domain/install-key.ts";
import type { KubeObject, ManagedFieldsEntry, ObjectMeta, Secret, SecretProviderClass } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { Pki } from "../../domain/ports/pki.ts";
import type { Retry } from "../../domain/ports/retry.ts";
import type { ObjectReader, VaultClients } from "../../domain/ports/vault-client.ts";
import type { VaultErrorOrigin } from "../../domain/ports/vault-error.ts";
import type { ClassObject } from "../../domain/provider-class/object-rules.ts";
import type { ReadCloudFile } from "../../domain/provider-class/parameters.ts";
import type { ReachHost } from "../../domain/reach.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";

/** Ways to Azure, with the proxy of this process's environment. */
export interface AzureAccess {
  readonly vaults: VaultClients;
  readonly reach: ReachHost;
  /** This process runs in a pod of the cluster: a managed identity of the machine is then the worker's. */
  readonly isInCluster: boolean;
}

/** What the worker found of a class's objects. */
export interface FetchedObjects {
  readonly files: readonly ObjectFile[];
  readonly failures: readonly {
    readonly object: ClassObject;
    readonly reason: SyncReason;
    readonly message: string;
    readonly retry: Retry;
    readonly origin?: VaultErrorOrigin;
  }[];
}

/** A ControllerRevision, as far as a record of ours is read from it. */
export interface StoredRevision {
  readonly metadata: ObjectMeta;
  readonly data: unknown;
}

export interface SignedSnapshot {
  readonly data: ClassSnapshot;
  /** Unix milliseconds of its signature. */
  readonly saved: number;
}

/** The worker's own code, for commands that have to see things as it does. `compose.ts` joins them. */
export interface WorkerCode {
  readonly pki: Pki;
  readonly hmacKeySecret: string;
  /** The install's key for fingerprints, in memory only; undefined where the Secret holds none. */
  readonly hmacKeyIn: (secret: Secret) => InstallKey | undefined;
  readonly fetchObjects: (
    options: { readonly client: ObjectReader; readonly render: RenderOptions },
    objects: readonly ClassObject[],
    signal: AbortSignal,
  ) => Promise<FetchedObjects>;
  /** A Secret without its values, judged with the install's key. */
  readonly observe: (object: KubeObject, hmacKey: InstallKey) => ObservedSecret;
  /** The snapshot that a ControllerRevision holds; undefined where this install did not write it as this object, or not with this key. */
  readonly snapshotIn: (revision: StoredRevision, hmacKey: InstallKey) => SignedSnapshot | undefined;
  /** Makes others the owners of a class's fields. */
  readonly handOver: (
    kube: KubeClient,
    provider: SecretProviderClass,
    managedFields: readonly ManagedFieldsEntry[],
    signal: AbortSignal,
  ) => Promise<void>;
  readonly cloudFileReader: (folder: string) => ReadCloudFile | undefined;
  /** Which policies of the worker stop nothing, and which nobody knows of; the client has to act as the worker. */
  readonly tryGuardrails: (kube: KubeClient, namespace: string, signal: AbortSignal) => Promise<TriedGuardrails>;
}

export interface TriedGuardrails {
  readonly missing: readonly string[];
  /** Somebody else refuses first what the policy forbids. */
  readonly hidden: readonly { readonly policy: string; readonly refusal: string }[];
}
