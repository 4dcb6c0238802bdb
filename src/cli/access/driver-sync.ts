import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { isOfDriverSync } from "../../domain/sync/take-over.ts";
import type { Viewer } from "../cluster.ts";

/** What lets the CSI driver's own sync write Secrets; undefined where nothing does, or it may not be seen. */
export async function driverSyncBinding(viewer: Viewer): Promise<string | undefined> {
  const look = await viewer.all<KubeObject>(RESOURCES.clusterRoleBindings);
  const found = look.kind === "seen" ? look.value.find(isOfDriverSync) : undefined;
  return found === undefined ? undefined : `ClusterRoleBinding ${found.metadata.name}`;
}
