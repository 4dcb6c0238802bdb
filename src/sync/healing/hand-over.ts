import type { KubeObject, ManagedFieldsEntry, Resource } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { FIELD_MANAGER } from "../field-manager.ts";

export interface HandedOver {
  readonly resource: Resource;
  /** As it was just written. */
  readonly object: KubeObject;
  readonly managedFields: readonly ManagedFieldsEntry[];
  /** Refused with `Conflict` where somebody has written since. */
  readonly isExact?: boolean;
}

/**
 * Makes others the owners of the fields that the worker has just written for them. Written in their names at once, it would
 * come out wrong: one request has one manager, while an object may have several, and what an installer is said to have applied
 * beyond its manifest its next apply removes.
 */
export async function handOver(
  kube: KubeClient,
  { resource, object: { metadata }, managedFields, isExact = false }: HandedOver,
  signal: AbortSignal,
): Promise<KubeObject> {
  const { namespace, name, uid, resourceVersion } = metadata;
  const patch = { metadata: { uid, managedFields, ...(isExact ? { resourceVersion } : {}) } };
  const ref = namespace === undefined ? { name } : { namespace, name };
  return kube.mergePatch<KubeObject>(resource, ref, patch, { fieldManager: FIELD_MANAGER }, signal);
}
