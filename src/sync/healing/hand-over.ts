import type { KubeObject, ManagedFieldsEntry, Resource } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { FIELD_MANAGER } from "../field-manager.ts";

export interface HandedOver {
  readonly resource: Resource;
  /** The object as the worker just wrote it. */
  readonly object: KubeObject;
  readonly managedFields: readonly ManagedFieldsEntry[];
  /** Whether the API server rejects the patch with `Conflict` if someone has written the object since. */
  readonly isExact?: boolean;
}

/**
 * Makes others the owners of the fields that the worker has just written for them. One write under their names would produce the wrong
 * owners: a request has one manager, while an object may have several. Also, an installer's next apply removes the fields that it seems to
 * have applied but that its manifest lacks.
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
