/** Facts of one class, for tables of decisions: a test says what differs. Times are Unix milliseconds. */
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type ClassSnapshot, snapshotOf } from "../../src/domain/healing/snapshot.ts";
import type { SecretObject, SecretProviderClass } from "../../src/domain/kubernetes.ts";
import type { ClassStatus } from "../../src/domain/sync/class-status.ts";
import type { ObservedSecret } from "../../src/domain/sync/observed-secret.ts";
import type { Observation } from "../../src/sync/classes/observe.ts";
import { type ClassState, nextState } from "../../src/sync/classes/state.ts";
import type { WorkerSettings } from "../../src/sync/worker-settings.ts";

export const CRD = { crdUid: "crd", crdGeneration: 1 };
export const INTERVAL = 120_000;

export const SETTINGS: WorkerSettings = {
  syncSecret: true,
  enableSecretRotation: true,
  rotationPollInterval: INTERVAL,
  syncMode: "always",
  unusedGrace: 300_000,
  expiryWarning: 0,
  adoptsDriverSecrets: false,
  restoresClasses: true,
};

interface ClassFacts {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly provider?: string;
  readonly names?: readonly string[];
}

/** `team/demo`, which names the Secrets of those names. */
export function classOf({ annotations = {}, provider = "azure", names = ["app"] }: ClassFacts = {}): SecretProviderClass {
  const data = [{ objectName: "password", key: "password" }];
  const secretObjects = names.map((secretName): SecretObject => ({ secretName, type: "Opaque", data }));
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace: "team", name: "demo", uid: "demo", resourceVersion: "7", generation: 1, annotations },
    spec: { provider, parameters: {}, secretObjects },
  };
}

export function snapshotOfClass(spc: SecretProviderClass = classOf(), crdUid: string = CRD.crdUid): ClassSnapshot {
  return snapshotOf(spc, { ...CRD, crdUid });
}

/** A Secret that was written for the class. */
export function secretOf(name: string, annotations: Readonly<Record<string, string>> = {}): ObservedSecret {
  return {
    ref: { namespace: "team", name },
    uid: `uid of ${name}`,
    resourceVersion: "3",
    type: "Opaque",
    immutable: false,
    labels: { [MANAGED_LABEL]: "true" },
    annotations: { [SECRET_ANNOTATIONS.class]: "demo", [SECRET_ANNOTATIONS.objects]: "secret/password@1", ...annotations },
    owned: { data: ["password"], labels: [MANAGED_LABEL], annotations: [] },
    isContentIntact: true,
  };
}

/** Of a class whose Secrets are as they should be. */
export function syncedStatus(names: readonly string[] = ["app"]): ClassStatus {
  const data = [{ key: "password", object: "secret/password", version: "1" }];
  const time = "2026-01-01T00:00:00Z";
  return {
    observedClassGeneration: 1,
    conditions: [
      { type: "Synced", status: "True", reason: "Synced", message: "", lastTransitionTime: time },
      { type: "Fresh", status: "True", reason: "Synced", message: "", lastTransitionTime: time },
    ],
    syncedSecrets: names.length,
    desiredSecrets: names.length,
    secrets: names.map((name) => ({ name, state: "Synced", data })),
  };
}

/** A synced class at rest, under a healthy CRD, with a current snapshot. */
export function observationOf(differs: Partial<Observation> = {}, now: number = Date.UTC(2026, 0, 1)): Observation {
  return {
    key: "team/demo",
    now,
    spc: classOf(),
    crd: { kind: "whole", ...CRD },
    snapshot: { isCurrent: true, taken: undefined },
    secrets: { named: [{ secret: secretOf("app"), nextOwner: undefined }], unread: new Set(), isBlind: false },
    status: syncedStatus(),
    hasStatus: !("status" in differs && differs.status === undefined),
    pods: { isUsed: false, lastActivity: now, unbrokenSince: 0, isFollowed: true },
    ...differs,
  };
}

/** The class as this process meets it first, without a status. */
export function seenClass(now: number, spc: SecretProviderClass = classOf()): ClassState {
  const sight = { cluster: "cluster", key: "team/demo", spc, interval: INTERVAL, status: undefined, polledUntil: undefined, now };
  const state = nextState(undefined, { kind: "seen", sight });
  if (state === undefined) throw new Error("a class that is seen is known");
  return state;
}
