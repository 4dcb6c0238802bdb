import type { ObjectRef } from "./kubernetes.ts";

/** `namespace/name`: what queues, indexes and logs call an object. Its parts hold no slash. */
export function objectKey({ namespace, name }: { readonly namespace?: string | undefined; readonly name: string }): string {
  return `${namespace ?? ""}/${name}`;
}

/** The inverse of {@link objectKey} for what has a namespace. */
export function refOfKey(key: string): ObjectRef & { readonly namespace: string } {
  const [namespace = "", name = ""] = key.split("/");
  return { namespace, name };
}
