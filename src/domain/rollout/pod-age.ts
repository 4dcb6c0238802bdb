import type { KubeObject } from "../kubernetes.ts";

/** What decides whether a pod has old values. */
export interface AgingPod extends KubeObject {
  readonly status?: { readonly phase?: string };
}

/** The pod without what it is made of, which may be a megabyte. */
export function agingPod({ apiVersion, kind, metadata, status }: AgingPod): AgingPod {
  const { name, uid = "", creationTimestamp = "", deletionTimestamp } = metadata;
  return {
    apiVersion,
    kind,
    metadata: { name, uid, creationTimestamp, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
    status: { phase: status?.phase ?? "" },
  };
}

/**
 * Whether a pod that runs was made before the versions came: what it read when it started may be old. Kubernetes times have whole
 * seconds; one of the same second counts as older.
 */
export function hasOldPod(pods: readonly AgingPod[], since: number): boolean {
  return pods.some((pod) => isLive(pod) && !(Date.parse(pod.metadata.creationTimestamp ?? "") > since));
}

/** It has not ended, and is not going. */
export function isLive({ metadata, status }: AgingPod): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase !== "Succeeded" && status?.phase !== "Failed";
}
