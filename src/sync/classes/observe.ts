import { type ClassSnapshot, restoredClass } from "../../domain/healing/snapshot.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOfKey } from "../../domain/object-key.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import { syncMode } from "../../domain/schedule/class-annotations.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import { switchedOffBy } from "../../domain/sync/switched-off.ts";
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

/** The live copies of a cluster on which decisions about classes are based. */
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

/** Facts about a class from other parts of the worker than the reconcile of classes. */
export interface ClassParts {
  /** Whether a workload that requests restarts uses the class (`namespace/name`); undefined while this is unknown. */
  readonly isFollowed?: (classKey: string) => boolean | undefined;
  /** Hints about the objects of classes; undefined if the worker reads no event queue. */
  readonly hints?: Pick<Hints, "of"> | undefined;
}

/** State of the cluster: whether classes are served whole, what others may do to Secrets, and what limits the worker. */
export interface ClassCluster {
  readonly crdHealth: Pick<CrdHealth, "state" | "damagedSince">;
  /** Undefined if the worker is blind, and does not watch role bindings. */
  readonly driverSync: DriverSync | undefined;
  readonly guardrails: Guardrails;
}

/** Everything that is known about a class at one moment, except what this process remembers about it. */
export interface Observation {
  /** `namespace/name` */
  readonly key: string;
  /** Unix milliseconds. */
  readonly now: number;
  /** Undefined if the API server has shown no such class. */
  readonly spc: HeldClass | undefined;
  readonly crd: GateState;
  /** `taken`: the newest trustworthy snapshot, if the decision needs it. */
  readonly snapshot: { readonly isCurrent: boolean; readonly taken: ClassSnapshot | undefined };
  readonly secrets: ObservedSecrets;
  readonly status: ClassStatus | undefined;
  /** Whether the class has a status, held or not. */
  readonly hasStatus: boolean;
  /** Whether a workload that requests restarts uses the class; false if the worker does not restart workloads. */
  readonly isFollowed?: boolean | "unknown";
  /** Hints about the class's objects that no reconcile has answered yet. */
  readonly hints: readonly Hint[];
  readonly pods: Pick<Consumers["watch"], "lastActivity" | "unbrokenSince" | "isFollowed"> & { readonly isUsed: boolean };
}

export interface ObservedSecrets {
  /** Secrets that name the class. */
  readonly named: readonly ObservedNamedSecret[];
  /** Names of the class's Secrets that the worker may not read, and that this process has not written. */
  readonly unread: ReadonlySet<string>;
  readonly isBlind: boolean;
}

export interface ObservedNamedSecret {
  readonly secret: ObservedSecret;
  /**
   * Name of the oldest other class that also names the Secret and would write it now. A class that is not synced would leave the Secret
   * unattended.
   */
  readonly nextOwner: string | undefined;
}

/** Returns everything that is known about the class now. */
export function observeClass(caches: ClassCaches, key: string, now: number): Observation {
  const { classes, snapshots, cluster } = caches;
  const crd = cluster.crdHealth.state;
  const spc = classes.get(refOfKey(key));
  const isCurrent = spc !== undefined && crd.kind === "whole" && snapshots.isCurrent(spc, crd);
  const isSnapshotNeeded = spc === undefined || (crd.kind === "whole" && !isCurrent);
  const snapshot = { isCurrent, taken: isSnapshotNeeded ? snapshots.get(key) : undefined };
  return observeAgain(caches, { key, spc, crd, snapshot }, now);
}

/** Observes everything again except the class, its CRD, and its snapshot: a decision that has begun continues with the class that it began with. */
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
        // Computed on demand, because it is hardly ever needed.
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

/** Returns `isFollowed` of {@link Observation}. */
export function isFollowedBy({ isFollowed }: ClassParts, key: string): boolean | "unknown" {
  return isFollowed === undefined ? false : (isFollowed(key) ?? "unknown");
}

const NO_HINTS: readonly Hint[] = [];
const NO_NAMES: ReadonlySet<string> = new Set();

/** Names of Secrets that a blind worker does not know. A Secret that an earlier process wrote does not count as missing: the next poll writes it. */
function unreadNames({ secrets }: ClassCaches, spc: SecretProviderClass | undefined): ReadonlySet<string> {
  if (!secrets.isBlind || spc === undefined) return NO_NAMES;
  const { namespace = "" } = spc.metadata;
  const names = secretObjectsOf(spc).map(({ secretName }) => secretName);
  return new Set(names.filter((name) => secrets.get({ namespace, name }) === undefined));
}

/** Name of the class that gets a Secret when `className` gives it up. */
export function nextOwnerOf(caches: ClassCaches, { ref }: ObservedSecret, className: string): string | undefined {
  const claimants = caches.classes.claimants(ref.namespace ?? "", ref.name);
  return claimants.find((candidate) => candidate.metadata.name !== className && isMirrored(caches, candidate))?.metadata.name;
}

/** Facts that decide whether a class is synced. */
export type Mirroring = Pick<ClassCaches, "settings"> & { readonly consumers: Pick<Consumers, "isUsed"> };

/** Whether the worker writes the class's Secrets at the moment. */
export function isMirrored({ settings, consumers }: Mirroring, spc: HeldClass): boolean {
  if (switchedOffBy(spc, settings) !== undefined) return false;
  return syncMode(spc, settings.syncMode) === "always" || consumers.isUsed(keyOf(spc));
}

/** Returns the facts, besides the content, that decide how one Secret of a class is written. */
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

/** Returns the class. If it was lost with its CRD and is not restored yet, returns it as its snapshot has it. */
export function servedOrLost(
  { classes, snapshots }: Pick<ClassCaches, "classes" | "snapshots">,
  key: string,
): SecretProviderClass | undefined {
  return classes.get(refOfKey(key)) ?? snapshotted(snapshots.get(key));
}

/** Whether the class names the Secret. */
function names(caches: ClassCaches, key: string, secretName: string): boolean {
  const spc = servedOrLost(caches, key);
  return spc !== undefined && secretObjectsOf(spc).some((secretObject) => secretObject.secretName === secretName);
}

function snapshotted(snapshot: ClassSnapshot | undefined): SecretProviderClass | undefined {
  return snapshot && restoredClass(snapshot);
}
