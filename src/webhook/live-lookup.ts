import type { KubeObject, ObjectRef, Resource } from "../domain/kubernetes.ts";
import { objectKey } from "../domain/object-key.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import type { Reflector } from "../domain/ports/kube-watcher.ts";
import type { PeerSlots } from "../runtime/peer-slots.ts";

/** Long enough for an API server under load, short enough for the pod's creator who waits for it. */
const LONGEST_READ_MS = 500;

export type ClassLookupResult = "cached" | "read" | "missing" | "unknown";

/** `unknown`: it could not be found out. */
export type Looked<T> = { readonly kind: "found"; readonly object: T } | { readonly kind: "missing" } | { readonly kind: "unknown" };

export interface LookupOptions<T> {
  readonly resource: Resource;
  readonly cache: Pick<Reflector<T>, "get">;
  readonly kube: Pick<KubeClient, "read">;
  readonly onLookup?: (result: ClassLookupResult) => void;
  /** Of all reads; default: as many as are asked for. */
  readonly slots?: PeerSlots;
  /** What the cache would have kept of an object that is read. */
  readonly project?: (object: T) => T;
}

/**
 * From the cache; an object that it lacks (created a moment ago, or the watch is behind) costs one live read. Pods that ask for
 * the same one at the same time share it: a Deployment of a thousand pods is one read, not a thousand. Of different peers each has its
 * own, so that nobody waits in another's queue. Never throws.
 */
export function createLookup<T extends KubeObject>(options: LookupOptions<T>): (ref: ObjectRef, peer?: string) => Promise<Looked<T>> {
  const { cache, onLookup } = options;
  const running = new Map<string, Promise<Looked<T>>>();
  return async (ref, peer = "") => {
    const cached = cache.get(ref);
    if (cached !== undefined) {
      onLookup?.("cached");
      return { kind: "found", object: cached };
    }
    const key = `${peer} ${objectKey(ref)}`;
    const shared = running.get(key) ?? readLive(options, ref, peer).finally(() => running.delete(key));
    running.set(key, shared);
    const looked = await shared;
    onLookup?.(looked.kind === "found" ? "read" : looked.kind);
    return looked;
  };
}

async function readLive<T extends KubeObject>(
  { kube, resource, slots, project = (object) => object }: LookupOptions<T>,
  ref: ObjectRef,
  peer: string,
): Promise<Looked<T>> {
  const bounded = AbortSignal.timeout(LONGEST_READ_MS);
  const leave = slots === undefined ? () => undefined : await slots.enter(peer, bounded);
  if (leave === undefined) return { kind: "unknown" };
  try {
    const result = await kube.read<T>(resource, ref, bounded);
    if (result.kind === "found") return { kind: "found", object: project(result.object) };
    // An unserved kind says nothing of the object: its CRD may be on its way back.
    return { kind: result.kind === "absent" ? "missing" : "unknown" };
  } catch {
    // Decided, not swallowed: the answer tells of it, and the metric counts it.
    return { kind: "unknown" };
  } finally {
    leave();
  }
}
