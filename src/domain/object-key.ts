import type { KubeObject, ObjectRef } from "./kubernetes.ts";

/** `namespace/name`: what queues, indexes and logs call an object. Its parts hold no slash. */
export function objectKey({ namespace, name }: { readonly namespace?: string | undefined; readonly name: string }): string {
  return `${namespace ?? ""}/${name}`;
}

/** The inverse of {@link objectKey} for what has a namespace. */
export function refOfKey(key: string): ObjectRef & { readonly namespace: string } {
  const [namespace = "", name = ""] = key.split("/");
  return { namespace, name };
}

/** Where the object is; of a class also its status object of the same name. */
export function refOf({ metadata }: KubeObject): ObjectRef & { readonly namespace: string } {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}

/** {@link objectKey} of a whole object. */
export function keyOf({ metadata }: KubeObject): string {
  return objectKey(metadata);
}
