import { RESOURCES } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";

/** Returns the uid of a Namespace that every cluster has exactly once, to distinguish one cluster from another. */
export async function clusterUid(kube: KubeClient, signal: AbortSignal): Promise<string> {
  const found = await kube.read(RESOURCES.namespaces, { name: "kube-system" }, signal);
  return found.kind === "found" ? (found.object.metadata.uid ?? "") : "";
}
