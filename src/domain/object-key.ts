import type { KubeObject, ObjectRef } from "./kubernetes.ts";
import { isDnsLabel, isDnsSubdomain } from "./kubernetes-names.ts";

/** `namespace/name`: what queues, indexes and logs call an object. Its parts hold no slash. */
export function objectKey({ namespace, name }: { readonly namespace?: string | undefined; readonly name: string }): string {
  return `${namespace ?? ""}/${name}`;
}

/** The inverse of {@link objectKey} for what has a namespace. */
export function refOfKey(key: string): ObjectRef & { readonly namespace: string } {
  const [namespace = "", name = ""] = key.split("/");
  return { namespace, name };
}

/** The {@link objectKey} of something with a namespace that a text is, which anybody may have edited; undefined where nothing can be called so. */
export function keyIn(text: string | undefined): string | undefined {
  const [namespace = "", name = "", ...more] = text?.split("/") ?? [];
  return more.length === 0 && isDnsLabel(namespace) && isDnsSubdomain(name) ? text : undefined;
}

/** Where the object is; of a class also its status object of the same name. */
export function refOf({ metadata }: KubeObject): ObjectRef & { readonly namespace: string } {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}

/** {@link objectKey} of a whole object. */
export function keyOf({ metadata }: KubeObject): string {
  return objectKey(metadata);
}
