import type { KubeObject, ObjectRef } from "./kubernetes.ts";
import { isDnsLabel, isDnsSubdomain } from "./kubernetes-names.ts";

/** Returns `namespace/name`, which queues, indexes, and logs use for an object. Namespace and name contain no slash. */
export function objectKey({ namespace, name }: { readonly namespace?: string | undefined; readonly name: string }): string {
  return `${namespace ?? ""}/${name}`;
}

/** The inverse of {@link objectKey} for namespaced objects. */
export function refOfKey(key: string): ObjectRef & { readonly namespace: string } {
  const [namespace = "", name = ""] = key.split("/");
  return { namespace, name };
}

/**
 * Returns the text if it can be the {@link objectKey} of a namespaced object; otherwise undefined. The text is untrusted, because users can
 * edit it.
 */
export function keyIn(text: string | undefined): string | undefined {
  const [namespace = "", name = "", ...more] = text?.split("/") ?? [];
  return more.length === 0 && isDnsLabel(namespace) && isDnsSubdomain(name) ? text : undefined;
}

/** Returns namespace and name of the object. The status object of a class has the same namespace and name. */
export function refOf({ metadata }: KubeObject): ObjectRef & { readonly namespace: string } {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}

/** Returns the {@link objectKey} of a whole object. */
export function keyOf({ metadata }: KubeObject): string {
  return objectKey(metadata);
}
