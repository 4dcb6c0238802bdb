import type { KubeObject, ObjectRef, Resource } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";

/** By a list of one: the right to list goes with the watch, so that no right to get is needed beside it. */
export async function findByName<T extends KubeObject>(
  kube: KubeClient,
  { resource, ref }: { readonly resource: Resource; readonly ref: ObjectRef },
  signal: AbortSignal,
): Promise<T | undefined> {
  const where = ref.namespace === undefined ? {} : { namespace: ref.namespace };
  const [found] = await kube.list<T>(resource, { ...where, fieldSelector: `metadata.name=${ref.name}` }, signal);
  return found;
}
