/**
 * Objects that a worker, a driver and a kubelet write, with the fields that the dashboard shows. The test writes them itself, so that each
 * state exists immediately.
 */
import type { KubeObject, Resource } from "../../../src/domain/kubernetes.ts";
import { RESOURCES } from "../../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../../src/domain/ports/kube-client.ts";

export interface Place {
  readonly namespace: string;
  readonly name: string;
}

export const PREFIX = "keyvault-injector.dev";
export const WORKER = "keyvault-injector-sync";
export const VAULT = "shop-vault";
export const OLD = "1".repeat(32);
export const NEW = "2".repeat(32);

const fromNow = (milliseconds: number): string => `${new Date(Date.now() + milliseconds).toISOString().slice(0, 19)}Z`;
export const MINUTE = 60_000;
export const DAY = 86_400_000;

/** A class that creates one Secret with the class's name, and with one key from the object of that name. */
export function aSyncedClass({ namespace, name }: Place, vault: string = VAULT): KubeObject {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace, name },
    spec: {
      provider: "azure",
      parameters: {
        keyvaultName: vault,
        tenantId: "11111111-1111-1111-1111-111111111111",
        objects: `array:\n  - |\n    objectName: ${name}\n    objectType: secret\n`,
      },
      secretObjects: [{ secretName: name, type: "Opaque", data: [{ objectName: name, key: "password" }] }],
    },
  } as KubeObject;
}

export interface Said {
  readonly reason?: string;
  readonly message?: string;
  readonly version?: string;
  /** Milliseconds from now. */
  readonly expires?: number;
  readonly since?: number;
  /** The condition `Rotated`. */
  readonly rotated?: { readonly reason: string; readonly message: string };
}

export function aStatus({ namespace, name }: Place, said: Said = {}): KubeObject {
  const { reason = "Synced", message = "1 of 1 Secrets are up to date", version = NEW, rotated } = said;
  const isFine = reason === "Synced";
  const common = { lastTransitionTime: fromNow(-30 * MINUTE), observedGeneration: 1 };
  const status = isFine ? "True" : "False";
  const conditions = [
    { type: "Ready", status, reason, message, ...common },
    { type: "Synced", status, reason, message, ...common },
    { type: "Fresh", status, reason, message, ...common },
    ...(rotated === undefined ? [] : [{ type: "Rotated", status: "False", ...rotated, ...common }]),
  ];
  const key = {
    key: "password",
    object: `secret/${name}`,
    version,
    updated: fromNow(-2 * DAY),
    ...(said.expires === undefined ? {} : { expires: fromNow(said.expires) }),
    ...(said.since === undefined ? {} : { since: fromNow(said.since) }),
    ...(isFine ? {} : { state: reason, message }),
  };
  return {
    apiVersion: `${PREFIX}/v1alpha1`,
    kind: "SecretProviderClassSync",
    metadata: { namespace, name },
    status: {
      observedGeneration: 1,
      observedClassGeneration: 1,
      conditions,
      lastSuccessfulCheckTime: fromNow(-MINUTE),
      syncedSecrets: isFine ? 1 : 0,
      desiredSecrets: 1,
      secrets: [{ name, state: reason, ...(isFine ? {} : { message }), data: [key] }],
    },
  } as KubeObject;
}

export function aMirroredSecret({ namespace, name }: Place, value: string, version: string = NEW): KubeObject {
  const annotations = { [`${PREFIX}/class`]: name, [`${PREFIX}/objects`]: `secret/${name}@${version}` };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace, name, labels: { [`${PREFIX}/managed`]: "true" }, annotations },
    data: { password: Buffer.from(value).toString("base64") },
  } as KubeObject;
}

/** A pod that mounts the class. */
export function aMountingPod({ namespace, name }: Place, className: string): KubeObject {
  const csi = { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass: className } };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name },
    spec: {
      nodeName: "node-1",
      automountServiceAccountToken: false,
      containers: [{ name: "app", image: "app:1", volumeMounts: [{ name: "class", mountPath: "/mnt", readOnly: true }] }],
      volumes: [{ name: "class", csi }],
    },
  } as KubeObject;
}

export function runningStatus(): object {
  const app = {
    name: "app",
    ready: true,
    restartCount: 0,
    image: "",
    imageID: "",
    state: { running: { startedAt: fromNow(-30 * MINUTE) } },
  };
  return { phase: "Running", containerStatuses: [app] };
}

export function aPodStatus({ namespace, name }: Place, className: string, version: string): KubeObject {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClassPodStatus",
    metadata: { namespace, name: `${name}-${namespace}-${className}` },
    status: {
      podName: name,
      secretProviderClassName: className,
      mounted: true,
      targetPath: "/x",
      objects: [{ id: `secret/${className}`, version }],
    },
  } as KubeObject;
}

export interface Happened {
  readonly kind?: string;
  readonly reason: string;
  readonly message: string;
  readonly type?: "Normal" | "Warning";
}

export function anEvent(
  { namespace, name }: Place,
  { kind = "SecretProviderClass", reason, message, type = "Warning" }: Happened,
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { namespace, name: `${name}.${reason.toLowerCase()}` },
    involvedObject: { kind, namespace, name },
    type,
    reason,
    message,
    source: { component: WORKER },
    reportingComponent: WORKER,
    reportingInstance: "worker-1",
    firstTimestamp: fromNow(-10 * MINUTE),
    lastTimestamp: fromNow(-5 * MINUTE),
    count: 3,
  } as KubeObject;
}

/** A Lease that is valid for an hour. */
export function aLease(holder: string = "worker-1"): KubeObject {
  const now = new Date().toISOString().replace("Z", "000Z");
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { namespace: "keyvault-injector", name: WORKER },
    spec: { holderIdentity: holder, leaseDurationSeconds: 3_600, acquireTime: now, renewTime: now, leaseTransitions: 0 },
  } as KubeObject;
}

export type Write = (resource: Resource, object: KubeObject) => Promise<KubeObject>;

/** Writes with the worker's field manager, so that the worker owns the objects. */
export function writer(client: KubeClient): { readonly write: Write; readonly writeStatus: Write } {
  const signal = new AbortController().signal;
  const options = { fieldManager: WORKER, force: true } as const;
  const write: Write = (resource, object) => client.apply(resource, object, options, signal);
  return {
    write,
    writeStatus: async (resource, object) => {
      const { apiVersion, kind, metadata } = object;
      if (resource !== RESOURCES.pods) await write(resource, { apiVersion, kind, metadata });
      return client.apply(resource, object, { ...options, subresource: "status" }, signal);
    },
  };
}
