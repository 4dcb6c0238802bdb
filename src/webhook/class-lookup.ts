import type { ClassFact } from "../domain/injection/credentials.ts";
import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import type { Reflector } from "../domain/ports/kube-watcher.ts";
import type { PeerSlots } from "../runtime/peer-slots.ts";
import { usedOf } from "./class-copy.ts";
import { type ClassLookupResult, createLookup } from "./live-lookup.ts";

export interface ClassLookup {
  /** Never throws: if the class cannot be read, the fact is `unknown`. The read counts for `peer`. */
  (ref: ObjectRef, peer?: string): Promise<ClassFact>;
}

export interface ClassLookupOptions {
  readonly classes: Pick<Reflector<SecretProviderClass>, "get">;
  readonly kube: Pick<KubeClient, "read">;
  readonly onLookup?: (result: ClassLookupResult) => void;
  readonly slots?: PeerSlots;
}

/** Creates a lookup that reads a class from the cache or by one live read. */
export function createClassLookup({ classes, ...options }: ClassLookupOptions): ClassLookup {
  const lookUp = createLookup<SecretProviderClass>({
    ...options,
    cache: classes,
    resource: RESOURCES.secretProviderClasses,
    project: usedOf,
  });
  return async (ref, peer) => {
    const outcome = await lookUp(ref, peer);
    return outcome.kind === "found" ? { kind: "found", class: outcome.object } : outcome;
  };
}
