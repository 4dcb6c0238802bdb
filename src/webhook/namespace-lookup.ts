import { areTooManyDefaults, ownAnnotations } from "../domain/annotation-keys.ts";
import type { NamespaceFact } from "../domain/injection/effective-annotations.ts";
import { type KubeObject, RESOURCES } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import type { KubeWatcher, Reflector } from "../domain/ports/kube-watcher.ts";
import type { PeerSlots } from "../runtime/peer-slots.ts";
import { type ClassLookupResult, createLookup } from "./live-lookup.ts";

export interface NamespaceLookup {
  /** Never throws: if the Namespace cannot be read, the fact is `unknown`. The read counts for `peer`. */
  (name: string, peer?: string): Promise<NamespaceFact>;
}

export interface NamespaceLookupOptions {
  readonly namespaces: Pick<Reflector<KubeObject>, "get">;
  readonly kube: Pick<KubeClient, "read">;
  readonly onLookup?: (result: ClassLookupResult) => void;
  readonly slots?: PeerSlots;
}

/** Creates a lookup that reads a Namespace's settings for its pods from the cache or by one live read. */
export function createNamespaceLookup({ namespaces, ...options }: NamespaceLookupOptions): NamespaceLookup {
  const lookUp = createLookup<KubeObject>({ ...options, cache: namespaces, resource: RESOURCES.namespaces });
  return async (name, peer) => {
    const outcome = await lookUp({ name }, peer);
    return outcome.kind === "found" ? { kind: "found", annotations: ownAnnotations(outcome.object.metadata.annotations) } : outcome;
  };
}

/**
 * Creates the cache for the lookup. It keeps only our annotations of a Namespace. A Namespace with more annotations than the limit is not
 * in the cache, and costs its own pods a read each: a part of the annotations would mean another default.
 */
export function reflectNamespaces(watcher: KubeWatcher, signal: AbortSignal): Reflector<KubeObject> {
  const project = (object: KubeObject): KubeObject | undefined => {
    const annotations = ownAnnotations(object.metadata.annotations);
    if (areTooManyDefaults(annotations)) return undefined;
    return { apiVersion: object.apiVersion, kind: object.kind, metadata: { name: object.metadata.name, annotations } };
  };
  return watcher.reflect<KubeObject>({ resource: RESOURCES.namespaces, project }, signal);
}
