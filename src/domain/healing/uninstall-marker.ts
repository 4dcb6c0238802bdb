import { INSTALL_ANNOTATIONS } from "../annotations.ts";
import type { KubeObject } from "../kubernetes.ts";

/** Value of the mark if there is no worker to name. */
export const NO_WORKER = "none";

/**
 * Whether the install is marked for removal. The mark contains the uid of the worker's Deployment, so that a mark that outlives an
 * uninstall does not affect the next install.
 */
export function isMarked(namespace: KubeObject, ownDeployment: KubeObject | undefined): boolean {
  const marked = namespace.metadata.annotations?.[INSTALL_ANNOTATIONS.uninstalling];
  return marked !== undefined && (ownDeployment === undefined || marked === ownDeployment.metadata.uid);
}
