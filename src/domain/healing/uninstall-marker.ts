import { INSTALL_ANNOTATIONS } from "../annotations.ts";
import type { KubeObject } from "../kubernetes.ts";

/** Written where there is no worker to name. */
export const NO_WORKER = "none";

/**
 * Whether the install is marked as being removed. The mark names the worker's Deployment by its uid, so that one which outlives
 * an uninstall says nothing of the next install.
 */
export function isMarked(namespace: KubeObject, ownDeployment: KubeObject | undefined): boolean {
  const marked = namespace.metadata.annotations?.[INSTALL_ANNOTATIONS.uninstalling];
  return marked !== undefined && (ownDeployment === undefined || marked === ownDeployment.metadata.uid);
}
