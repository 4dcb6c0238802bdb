import type { Component } from "../../../src/domain/healing/components.ts";
import { installerEntries } from "../../../src/domain/healing/installers.ts";
import type { KubeObject, Resource } from "../../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../../src/domain/ports/kube-client.ts";
import { findByName } from "../../../src/sync/find-by-name.ts";
import type { Manifest } from "../cluster/shipped-manifests.ts";

/** A cluster with an install from any source. All access is an administrator's. */
export interface DamagedCluster {
  /** Resolves with stdout, rejects with stderr. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  readonly kube: KubeClient;
  /** The installed manifests: CRDs and all other objects. */
  readonly manifests: readonly Manifest[];
  /** Applies manifests as the installer did at first, without force. */
  apply(manifests: readonly Manifest[]): Promise<void>;
  /** Applies manifests as the installer, with force if needed, as users repair an install without healing. */
  reinstall(manifests: readonly Manifest[]): Promise<void>;
  /** Deletes and recreates objects, which removes fields that another user added and that exclude a field of the installer. */
  renew(manifests: readonly Manifest[]): Promise<void>;
}

export interface Target {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name: string;
}

/** Name of the component in the worker's copies, logs and metrics. */
export function componentId({ resource, namespace, name }: Target): string {
  return `${resource.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

/** Whether the worker's metrics report the component as damaged and not healed. */
export function isDamagedIn(metrics: string, target: Target): boolean {
  const line = `component_damaged{component="${componentId(target)}"`;
  return metrics.split("\n").some((text) => text.includes(line) && text.endsWith(" 1"));
}

/** The components that exist. */
export async function presentComponents(kube: KubeClient, components: readonly Component[]): Promise<readonly Component[]> {
  const found = await Promise.all(components.map(({ resource, ref }) => findByName(kube, { resource, ref }, AbortSignal.timeout(20_000))));
  return components.filter((_, index) => found[index] !== undefined);
}

export function readTarget({ kube }: DamagedCluster, { resource, namespace, name }: Target): Promise<KubeObject | undefined> {
  const ref = namespace === undefined ? { name } : { namespace, name };
  return findByName(kube, { resource, ref }, AbortSignal.timeout(10_000));
}

export function manifestOf({ manifests }: DamagedCluster, { resource, namespace, name }: Target): Manifest {
  const found = manifests.find(
    ({ kind, metadata }) => kind === resource.kind && metadata.name === name && (metadata.namespace ?? "") === (namespace ?? ""),
  );
  if (found === undefined) throw new Error(`no ${resource.kind} ${name} among the installed manifests`);
  return found;
}

/** Fields that the API server and controllers write, and no installer. They differ after every repair. */
const WRITTEN_BY_OTHERS = new Set(["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "status", "caBundle"]);
const COUNTED = new Set(["deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation"]);
const ALLOCATED = new Set(["clusterIP", "clusterIPs", "secrets"]);

/**
 * The rest of the object and the installers' field ownership, as text that is equal for equal content. A repair is complete when the
 * installers own the same fields as before.
 */
export function contentOf(object: KubeObject): string {
  const installers = installerEntries(object).map(({ manager, operation, fieldsV1 }) => `${manager} ${operation} ${textOf(fieldsV1)}`);
  return `${installers.sort().join()} ${textOf(object)}`;
}

function textOf(object: unknown): string {
  return JSON.stringify(object, (key, value: unknown) => {
    if (WRITTEN_BY_OTHERS.has(key) || COUNTED.has(key) || ALLOCATED.has(key)) return undefined;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name, inner]) => !(name === "annotations" && Object.keys(inner as object).every((each) => COUNTED.has(each))))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  });
}

/**
 * Text that stays equal after an apply that changes nothing. Controllers raise the resourceVersion of objects on whose status they report.
 */
export function versionOf({ kind, metadata }: KubeObject): string {
  const isReportedOn =
    kind === "Deployment" || kind === "DaemonSet" || kind === "PodDisruptionBudget" || kind === "CustomResourceDefinition";
  const owners = (metadata.managedFields ?? []).filter(({ subresource }) => subresource !== "status");
  return JSON.stringify([
    metadata.uid,
    metadata.generation,
    isReportedOn ? "" : metadata.resourceVersion,
    owners
      .map(({ manager, operation, time, fieldsV1 }) => [manager, operation, time, fieldsV1])
      .filter(([manager]) => manager !== "kube-controller-manager"),
  ]);
}
