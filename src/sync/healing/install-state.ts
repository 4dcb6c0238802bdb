import { OWN_DEPLOYMENT } from "../../domain/healing/components.ts";
import { isMarked } from "../../domain/healing/uninstall-marker.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { WORKLOADS } from "../../domain/rollout/workload-kinds.ts";
import { findByName } from "../find-by-name.ts";

/** Cluster and namespace of the install. */
export interface InstallPlace {
  readonly kube: KubeClient;
  readonly namespace: string;
}

/** Facts that show whether the install is meant to stay. */
export interface InstallState {
  readonly isNamespaceAlive: boolean;
  /** The worker's own Deployment; undefined if there is none. */
  readonly ownDeployment: KubeObject | undefined;
  /** Whether `uninstall --prepare` was run for this install. */
  readonly isPrepared: boolean;
}

export async function readInstall({ kube, namespace }: InstallPlace, signal: AbortSignal): Promise<InstallState> {
  const own = await findByName(kube, { resource: RESOURCES.namespaces, ref: { name: namespace } }, signal);
  const ownDeployment = await findByName(kube, { resource: WORKLOADS.Deployment, ref: { namespace, name: OWN_DEPLOYMENT } }, signal);
  return {
    isNamespaceAlive: own !== undefined && isAlive(own),
    ownDeployment,
    isPrepared: own !== undefined && isMarked(own, ownDeployment),
  };
}

export function isAlive({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp === undefined;
}

/** Whether the install is being removed, so that the worker restores nothing. */
export function isGoing({ isNamespaceAlive, isPrepared }: InstallState): boolean {
  return isPrepared || !isNamespaceAlive;
}

/**
 * Whether the roles, the bindings and the ServiceAccount that the worker needs for healing exist. If the worker is not even allowed to read
 * them, some of them are gone.
 */
export async function areRightsWhole({ kube, namespace }: InstallPlace, signal: AbortSignal): Promise<boolean> {
  const name = "keyvault-injector-components";
  const parts = [
    { resource: RESOURCES.clusterRoleBindings, ref: { name } },
    { resource: RESOURCES.clusterRoles, ref: { name } },
    { resource: RESOURCES.roles, ref: { namespace, name } },
    { resource: RESOURCES.roleBindings, ref: { namespace, name } },
    { resource: RESOURCES.serviceAccounts, ref: { namespace, name: OWN_DEPLOYMENT } },
  ];
  try {
    for (const part of parts) if ((await findByName(kube, part, signal)) === undefined) return false;
    return true;
  } catch (error) {
    if (error instanceof KubeError && (error.code === "Forbidden" || error.code === "Unauthorized")) return false;
    throw error;
  }
}
