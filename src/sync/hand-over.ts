import { type ManagedFieldsEntry, RESOURCES, type SecretProviderClass } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports.ts";
import { FIELD_MANAGER } from "./field-manager.ts";

/**
 * Makes others the owners of the fields of a class that the worker has just written for them. Written in their names at
 * once, it would come out wrong: one request has one manager, while a class may have several, and what an installer is said
 * to have applied beyond its manifest its next apply removes.
 */
export async function handOver(
  kube: KubeClient,
  { metadata }: SecretProviderClass,
  managedFields: readonly ManagedFieldsEntry[],
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "", name, uid } = metadata;
  const patch = { metadata: { uid, managedFields } };
  await kube.mergePatch(RESOURCES.secretProviderClasses, { namespace, name }, patch, { fieldManager: FIELD_MANAGER }, signal);
}
