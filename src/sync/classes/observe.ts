import { type ClassSnapshot, restoredClass } from "../../domain/healing/snapshot.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOfKey } from "../../domain/object-key.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import { syncMode } from "../../domain/schedule/class-annotations.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import { adoptedNames } from "../../domain/sync/take-over.ts";
import type { Guardrails } from "../guardrails.ts";
import type { CrdHealth, GateState } from "../healing/crd-health.ts";
import type { Snapshots } from "../healing/snapshots.ts";
import type { Hint, Hints } from "../push/hints.ts";
import type { DriverSync } from "../secrets/driver-sync.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import type { WriteInput } from "../secrets/write-secret.ts";
import type { WorkerSettings } from "../worker-settings.ts";
import type { Consumers } from "./consumers.ts";
import type { HeldClasses } from "./held-classes.ts";
import type { StatusStore } from "./status-store.ts";

/** The live copies of a cluster that decisions about classes go by. */
export interface ClassCaches {
  readonly settings: WorkerSettings;
  readonly classes: Pick<HeldClasses, "get" | "claimants">;
  readonly secrets: SecretStore;
  readonly snapshots: Pick<Snapshots, "get" | "isCurrent">;
  readonly statuses: Pick<StatusStore, "get" | "has">;
  readonly consumers: Pick<Consumers, "isUsed" | "watch">;
  readonly parts: ClassParts;
  readonly cluster: ClassCluster;
}

/** What the parts beside the reconcile of classes know of one. */
export interface ClassParts {
  /** Whether a workload that asks for restarts uses the class (`namespace/name`); undefined where nobody knows yet. */
  readonly isFollowed?: (classKey: string) => boolean | undefined;
  /** What events have told of the classes' objects; undefined where no queue is read. */
  readonly hints?: Pick<Hints, "of"> | undefined;
}

/** What the cluster allows: whether classes are served whole, what others may do to Secrets, and what limits the worker. */
export interface ClassCluster {
  readonly crdHealth: Pick<CrdHealth, "state" | "damagedSince">;
  /** Undefined where nothing of it is looked at. */
  readonly driverSync: DriverSync | undefined;
  readonly guardrails: Guardrails;
}

/** All that is known of a class at one moment, but for what this process remembers of it. */
export interface Observation {
  /** `namespace/name` */
  readonly key: string;
  /** Unix milliseconds. */
  readonly now: number;
  /** Undefined where the API server has shown none. */
  readonly spc: HeldClass | undefined;
  readonly crd: GateState;
  /** `taken`: the newest trustworthy one, where it has to be looked at. */
  readonly snapshot: { readonly isCurrent: boolean; readonly taken: ClassSnapshot | undefined };
  readonly secrets: ObservedSecrets;
  readonly status: ClassStatus | undefined;
  /** There is one, held or not. */
  readonly hasStatus: boolean;
  /** Whether a workload that asks for restarts uses the class; absent where none is ever asked. */
  readonly isFollowed?: boolean | "unknown";
  /** What events have told of its objects, and nobody has looked at. */
  readonly hints: readonly Hint[];
  readonly pods: Pick<Consumers["watch"], "lastActivity" | "unbrokenSince" | "isFollowed"> & { readonly isUsed: boolean };
}

export interface ObservedSecrets {
  /** Those that name the class. */
  readonly named: readonly ObservedNamedSecret[];
  /** Names of those that nobody may read, and that this process has not written. */
  readonly unread: ReadonlySet<string>;
  readonly isBlind: boolean;
}

export interface ObservedNamedSecret {
  readonly secret: ObservedSecret;
  /** Name of the oldest other class that names it, too, and would write it now: one that does not mirror would leave it lying. */
  readonly nextOwner: string | undefined;
}

/** What there is of the class at this moment. */
export function observeClass(caches: ClassCaches, key: string, now: number): Observation {
  const { classes, snapshots, cluster } = caches;
  const crd = cluster.crdHealth.state;
  const spc = classes.get(refOfKey(key));
  const isCurrent = spc !== undefined && crd.kind === "whole" && snapshots.isCurrent(spc, crd);
  const isSnapshotNeeded = spc === undefined || (crd.kind === "whole" && !isCurrent);
  const snapshot = { isCurrent, taken: isSnapshotNeeded ? snapshots.get(key) : undefined };
  return observeAgain(caches, { key, spc, crd, snapshot }, now);
}

/** The same class, CRD and snapshot, with all else as it is by now: a decision that has begun goes on with the class that it began with. */
export function observeAgain<T extends Pick<Observation, "key" | "spc" | "crd" | "snapshot">>(
  caches: ClassCaches,
  before: T,
  now: number,
): T & Observation {
  const { secrets, statuses, consumers } = caches;
  const ref = refOfKey(before.key);
  const { lastActivity, unbrokenSince, isFollowed } = consumers.watch;
  return {
    ...before,
    now,
    secrets: {
      named: secrets.ofClass(before.key).map((secret) => ({
        secret,
        // Looked for where it matters: hardly ever.
        get nextOwner() {
          return nextOwnerOf(caches, secret, ref.name);
        },
      })),
      unread: unreadNames(caches, before.spc),
      isBlind: secrets.isBlind,
    },
    status: statuses.get(ref),
    hasStatus: statuses.has(ref),
    isFollowed: isFollowedBy(caches.parts, before.key),
    hints: caches.parts.hints?.of(before.key) ?? NO_HINTS,
    pods: { isUsed: consumers.isUsed(before.key), lastActivity, unbrokenSince, isFollowed },
  };
}

/** As of {@link Observation}. */
export function isFollowedBy({ isFollowed }: ClassParts, key: string): boolean | "unknown" {
  return isFollowed === undefined ? false : (isFollowed(key) ?? "unknown");
}

const NO_HINTS: readonly Hint[] = [];
const NO_NAMES: ReadonlySet<string> = new Set();

/** Blind, a Secret that an earlier process wrote is no missing one: it is written at the next poll. */
function unreadNames({ secrets }: ClassCaches, spc: SecretProviderClass | undefined): ReadonlySet<string> {
  if (!secrets.isBlind || spc === undefined) return NO_NAMES;
  const { namespace = "" } = spc.metadata;
  const names = secretObjectsOf(spc).map(({ secretName }) => secretName);
  return new Set(names.filter((name) => secrets.get({ namespace, name }) === undefined));
}

/** Of a Secret that `className` lets go. */
export function nextOwnerOf(caches: ClassCaches, { ref }: ObservedSecret, className: string): string | undefined {
  const claimants = caches.classes.claimants(ref.namespace ?? "", ref.name);
  return claimants.find((candidate) => candidate.metadata.name !== className && isMirrored(caches, candidate))?.metadata.name;
}

/** What says whether a class is mirrored. */
export type Mirroring = Pick<ClassCaches, "settings"> & { readonly consumers: Pick<Consumers, "isUsed"> };

/** Whether the class writes its Secrets at the moment. */
export function isMirrored({ settings, consumers }: Mirroring, spc: SecretProviderClass): boolean {
  if (!settings.syncSecret) return false;
  const mode = syncMode(spc, settings.syncMode);
  return mode === "always" || (mode === "while-used" && consumers.isUsed(keyOf(spc)));
}

/** What decides over the write of one Secret of a class, beside its content. */
export function observeSecret(caches: ClassCaches, spc: SecretProviderClass, name: string): Omit<WriteInput, "secret"> {
  const { namespace = "", name: className } = spc.metadata;
  const claimants = caches.classes.claimants(namespace, name);
  const oldest = claimants.find((claimant) => isMirrored(caches, claimant))?.metadata.name;
  return {
    className,
    namespace,
    observed: caches.secrets.get({ namespace, name }),
    isClaimedBy: (other) => names(caches, `${namespace}/${other}`, name),
    preferredOwner: oldest === className ? undefined : oldest,
    terms: {
      adopts: adoptedNames(spc),
      driverSync: caches.cluster.driverSync?.allowedBy,
      adoptDriverSecrets: caches.settings.adoptDriverSecrets,
      oldestClass: claimants[0]?.metadata.name,
    },
  };
}

/** Whether the class, which may be one that went with its CRD and is not back yet, names the Secret. */
function names({ classes, snapshots }: ClassCaches, key: string, secretName: string): boolean {
  const spc = classes.get(refOfKey(key)) ?? snapshotted(snapshots.get(key));
  return spc !== undefined && secretObjectsOf(spc).some((secretObject) => secretObject.secretName === secretName);
}

function snapshotted(snapshot: ClassSnapshot | undefined): SecretProviderClass | undefined {
  return snapshot && restoredClass(snapshot);
}
