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

/** A read that others share. */
interface SharedRead<T> {
  readonly answer: Promise<Looked<T>>;
  /** The API server may have looked already. */
  readonly hasBegun: () => boolean;
}

/**
 * From the cache; an object that it lacks (created a moment ago, or the watch is behind) costs one live read. Pods that ask for
 * the same one at the same time share it: a Deployment of a thousand pods is one read, not a thousand. Who came when it had begun believes
 * no absence, which may be older than the object, and shares the next one. Of different peers each has its own, so that nobody waits in
 * another's queue. Never throws.
 */
export function createLookup<T extends KubeObject>(options: LookupOptions<T>): (ref: ObjectRef, peer?: string) => Promise<Looked<T>> {
  const { cache, onLookup } = options;
  const running = new Map<string, SharedRead<T>>();
  const share = (ref: ObjectRef, peer: string): SharedRead<T> => {
    const key = `${peer} ${objectKey(ref)}`;
    const shared = running.get(key) ?? startRead(options, { ref, peer, onEnd: () => running.delete(key) });
    running.set(key, shared);
    return shared;
  };
  const read = async (ref: ObjectRef, peer: string): Promise<Looked<T>> => {
    const { answer, hasBegun } = share(ref, peer);
    const isLate = hasBegun();
    const looked = await answer;
    return looked.kind === "missing" && isLate ? share(ref, peer).answer : looked;
  };
  return async (ref, peer = "") => {
    const cached = cache.get(ref);
    if (cached !== undefined) {
      onLookup?.("cached");
      return { kind: "found", object: cached };
    }
    const looked = await read(ref, peer);
    onLookup?.(looked.kind === "found" ? "read" : looked.kind);
    return looked;
  };
}

interface Wanted {
  readonly ref: ObjectRef;
  readonly peer: string;
}

function startRead<T extends KubeObject>(
  options: LookupOptions<T>,
  { ref, peer, onEnd }: Wanted & { readonly onEnd: () => void },
): SharedRead<T> {
  let hasBegun = false;
  const onBegin = (): void => {
    hasBegun = true;
  };
  return { answer: readLive(options, { ref, peer, onBegin }).finally(onEnd), hasBegun: () => hasBegun };
}

async function readLive<T extends KubeObject>(
  { kube, resource, slots, project = (object) => object }: LookupOptions<T>,
  { ref, peer, onBegin }: Wanted & { readonly onBegin: () => void },
): Promise<Looked<T>> {
  const bounded = AbortSignal.timeout(LONGEST_READ_MS);
  // Even without a wait, who asks in the same turn comes before the read.
  const leave = await (slots === undefined ? Promise.resolve(() => undefined) : slots.enter(peer, bounded));
  if (leave === undefined) return { kind: "unknown" };
  try {
    onBegin();
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
