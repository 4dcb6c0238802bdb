import type { KubeObject, ObjectRef, Resource } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";

/** Finds the object by a list with one entry. The worker has permission to list wherever it watches, so it needs no permission to get. */
export async function findByName<T extends KubeObject>(
  kube: KubeClient,
  { resource, ref }: { readonly resource: Resource; readonly ref: ObjectRef },
  signal: AbortSignal,
): Promise<T | undefined> {
  const where = ref.namespace === undefined ? {} : { namespace: ref.namespace };
  const [found] = await kube.list<T>(resource, { ...where, fieldSelector: `metadata.name=${ref.name}` }, signal);
  return found;
}
