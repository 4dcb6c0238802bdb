import type { KubeObject, ObjectRef, Resource } from "../domain/kubernetes.ts";
import type { Look, Viewer } from "./cluster.ts";

/** One object, for those who may list its kind and not get it as well: the worker's own account is one of them. */
export async function lookUp<T extends KubeObject>(viewer: Viewer, resource: Resource, ref: Required<ObjectRef>): Promise<Look<T>> {
  const look = await viewer.object<T>(resource, ref);
  if (look.kind !== "unseen") return look;
  const listed = await viewer.all<T>(resource, { namespace: ref.namespace, fieldSelector: `metadata.name=${ref.name}` });
  if (listed.kind !== "seen") return look;
  const [first] = listed.value;
  return first === undefined ? { kind: "absent" } : { kind: "seen", value: first };
}
