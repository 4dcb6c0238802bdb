import { areTooManyDefaults, ownAnnotations } from "../domain/annotation-keys.ts";
import type { NamespaceFact } from "../domain/injection/effective-annotations.ts";
import { type KubeObject, RESOURCES } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import type { KubeWatcher, Reflector } from "../domain/ports/kube-watcher.ts";
import type { PeerSlots } from "../runtime/peer-slots.ts";
import { type ClassLookupResult, createLookup } from "./live-lookup.ts";

export interface NamespaceLookup {
  /** Never throws: what cannot be found out is `unknown`. `peer`: in whose name it is read. */
  (name: string, peer?: string): Promise<NamespaceFact>;
}

export interface NamespaceLookupOptions {
  readonly namespaces: Pick<Reflector<KubeObject>, "get">;
  readonly kube: Pick<KubeClient, "read">;
  readonly onLookup?: (result: ClassLookupResult) => void;
  readonly slots?: PeerSlots;
}

/** What a Namespace says for its pods, from the cache or by one live read. */
export function createNamespaceLookup({ namespaces, ...options }: NamespaceLookupOptions): NamespaceLookup {
  const lookUp = createLookup<KubeObject>({ ...options, cache: namespaces, resource: RESOURCES.namespaces });
  return async (name, peer) => {
    const looked = await lookUp({ name }, peer);
    return looked.kind === "found" ? { kind: "found", annotations: ownAnnotations(looked.object.metadata.annotations) } : looked;
  };
}

/**
 * The cache behind the lookup. Of a Namespace only our annotations are kept. One with more of them than is kept is not in it, and costs
 * its own pods a read each: a part of them would be another default.
 */
export function reflectNamespaces(watcher: KubeWatcher, signal: AbortSignal): Reflector<KubeObject> {
  const project = (object: KubeObject): KubeObject | undefined => {
    const annotations = ownAnnotations(object.metadata.annotations);
    if (areTooManyDefaults(annotations)) return undefined;
    return { apiVersion: object.apiVersion, kind: object.kind, metadata: { name: object.metadata.name, annotations } };
  };
  return watcher.reflect<KubeObject>({ resource: RESOURCES.namespaces, project }, signal);
}
