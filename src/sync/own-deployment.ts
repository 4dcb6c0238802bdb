import { OWN_DEPLOYMENT } from "../domain/healing/components.ts";
import type { KubeObject } from "../domain/kubernetes.ts";

/** The worker's own Deployment in the install's namespace: where events stand that are about no class. */
export function workerDeployment(namespace: string): KubeObject {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { namespace, name: OWN_DEPLOYMENT } };
}
