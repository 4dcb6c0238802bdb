import { PREFIX } from "../domain/annotations.ts";
import type { NamespaceFact } from "../domain/injection/effective-annotations.ts";
import { type KubeObject, RESOURCES } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import type { KubeWatcher, Reflector } from "../domain/ports/kube-watcher.ts";
import type { PeerSlots } from "../runtime/peer-slots.ts";
import { createLookup, type LookupResult } from "./live-lookup.ts";

export interface NamespaceLookup {
  /** Never throws: what cannot be found out is `unknown`. `peer`: in whose name it is read. */
  (name: string, peer?: string): Promise<NamespaceFact>;
}

export interface NamespaceLookupOptions {
  readonly namespaces: Pick<Reflector<KubeObject>, "get">;
  readonly kube: Pick<KubeClient, "read">;
  readonly onLookup?: (result: LookupResult) => void;
  readonly slots?: PeerSlots;
}

/** What a Namespace says for its pods, from the cache or by one live read. */
export function createNamespaceLookup({ namespaces, ...options }: NamespaceLookupOptions): NamespaceLookup {
  const lookUp = createLookup<KubeObject>({ ...options, cache: namespaces, resource: RESOURCES.namespaces });
  return async (name, peer) => {
    const looked = await lookUp({ name }, peer);
    return looked.kind === "found" ? { kind: "found", annotations: ownAnnotations(looked.object) } : looked;
  };
}

/**
 * Of all our annotations of a Namespace, in characters. More than any defaults that work together; an admin of many namespaces could fill
 * the memory with 256 KiB on each.
 */
const MOST_ANNOTATIONS = 16 * 1024;

/**
 * The cache behind the lookup. Of a Namespace only our annotations are kept. One with more of them than is kept is not in it, and costs
 * its own pods a read each: a part of them would be another default.
 */
export function reflectNamespaces(watcher: KubeWatcher, signal: AbortSignal): Reflector<KubeObject> {
  const project = (object: KubeObject): KubeObject | undefined => {
    const annotations = ownAnnotations(object);
    if (Object.entries(annotations).flat().join("").length > MOST_ANNOTATIONS) return undefined;
    return { apiVersion: object.apiVersion, kind: object.kind, metadata: { name: object.metadata.name, annotations } };
  };
  return watcher.reflect<KubeObject>({ resource: RESOURCES.namespaces, project }, signal);
}

function ownAnnotations({ metadata }: KubeObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => key.startsWith(`${PREFIX}/`)));
}
