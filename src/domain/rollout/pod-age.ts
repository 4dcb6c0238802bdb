import type { KubeObject } from "../kubernetes.ts";

/** The parts of a pod that show whether it has old values. */
export interface AgingPod extends KubeObject {
  readonly status?: { readonly phase?: string };
}

/** Returns the pod without its spec and other large parts, which may be a megabyte. */
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
 * Whether a live pod was created before the versions came, so that the values that it read at its start may be old. Kubernetes times have
 * whole seconds, and a pod of the same second counts as older.
 */
export function hasOldPod(pods: readonly AgingPod[], since: number): boolean {
  return pods.some((pod) => isLive(pod) && !(Date.parse(pod.metadata.creationTimestamp ?? "") > since));
}

/** Whether the pod has neither ended nor is terminating. */
export function isLive({ metadata, status }: AgingPod): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase !== "Succeeded" && status?.phase !== "Failed";
}
