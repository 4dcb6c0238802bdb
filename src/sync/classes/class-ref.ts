import type { ObjectRef, SecretProviderClass } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";

/** Where the class is, and its status object of the same name. */
export function refOf({ metadata }: SecretProviderClass): ObjectRef {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}

/** `namespace/name`: what queues, indexes and logs call it. */
export function keyOf({ metadata }: SecretProviderClass): string {
  return objectKey(metadata);
}
