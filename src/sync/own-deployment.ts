import type { KubeObject } from "../domain/kubernetes.ts";

/** Name of the worker's ServiceAccount, and of its Deployment. */
export const SYNC_ACCOUNT = "keyvault-injector-sync";

/** The worker's own Deployment in the install's namespace: where events stand that are about no class. */
export function workerDeployment(namespace: string): KubeObject {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { namespace, name: SYNC_ACCOUNT } };
}
