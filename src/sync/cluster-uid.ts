import { RESOURCES } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";

/** What tells one cluster from another: the uid of a Namespace that every cluster has, once. */
export async function clusterUid(kube: KubeClient, signal: AbortSignal): Promise<string> {
  const found = await kube.read(RESOURCES.namespaces, { name: "kube-system" }, signal);
  return found.kind === "found" ? (found.object.metadata.uid ?? "") : "";
}
