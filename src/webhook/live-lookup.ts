import type { KubeObject, ObjectRef, Resource } from "../domain/kubernetes.ts";
import { objectKey } from "../domain/object-key.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import type { Reflector } from "../domain/ports/kube-watcher.ts";
import type { PeerSlots } from "../runtime/peer-slots.ts";

/** Milliseconds. Long enough for an API server under load, and short enough for the user who waits for the pod. */
const LONGEST_READ_MS = 500;

export type ClassLookupResult = "cached" | "read" | "missing" | "unknown";

/** `unknown`: the object could not be read. */
export type LookupOutcome<T> = { readonly kind: "found"; readonly object: T } | { readonly kind: "missing" } | { readonly kind: "unknown" };

export interface LookupOptions<T> {
  readonly resource: Resource;
  readonly cache: Pick<Reflector<T>, "get">;
  readonly kube: Pick<KubeClient, "read">;
  readonly onLookup?: (result: ClassLookupResult) => void;
  /** Slots for all reads. Default: no limit. */
  readonly slots?: PeerSlots;
  /** Returns the part of a live object that the cache would have kept. */
  readonly project?: (object: T) => T;
}

/** A read that others share. */
interface SharedRead<T> {
  readonly answer: Promise<LookupOutcome<T>>;
  /** Whether the API server may have read its store already. */
  readonly hasBegun: () => boolean;
}

/**
 * Reads from the cache. An object that the cache lacks (created a moment ago, or the watch is behind) costs one live read. Pods that
 * request the same object at the same time share it: a Deployment of a thousand pods costs one read, not a thousand. A caller that joins a
 * read after it began does not trust an absence, which may be older than the object, and shares the next read. So does a caller that joins
 * a read without an answer: one dead connection then costs one pod its answer, not all pods of that time. Different peers have separate
 * reads, so that none waits in another's queue. Never throws.
 */
export function createLookup<T extends KubeObject>(
  options: LookupOptions<T>,
): (ref: ObjectRef, peer?: string) => Promise<LookupOutcome<T>> {
  const { cache, onLookup } = options;
  const running = new Map<string, SharedRead<T>>();
  const start = (key: string, wanted: Wanted): Promise<LookupOutcome<T>> => {
    const started = startRead(options, { ...wanted, onEnd: () => running.delete(key) });
    running.set(key, started);
    return started.answer;
  };
  const read = async (ref: ObjectRef, peer: string): Promise<LookupOutcome<T>> => {
    const key = `${peer} ${objectKey(ref)}`;
    const joined = running.get(key);
    if (joined === undefined) return start(key, { ref, peer });
    const isLate = joined.hasBegun();
    const outcome = await joined.answer;
    if (outcome.kind === "found" || (outcome.kind === "missing" && !isLate)) return outcome;
    return running.get(key)?.answer ?? start(key, { ref, peer });
  };
  return async (ref, peer = "") => {
    const cached = cache.get(ref);
    if (cached !== undefined) {
      onLookup?.("cached");
      return { kind: "found", object: cached };
    }
    const outcome = await read(ref, peer);
    onLookup?.(outcome.kind === "found" ? "read" : outcome.kind);
    return outcome;
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
): Promise<LookupOutcome<T>> {
  const bounded = AbortSignal.timeout(LONGEST_READ_MS);
  // Even if there is no wait, callers of the same turn come before the read.
  const leave = await (slots === undefined ? Promise.resolve(() => undefined) : slots.enter(peer, bounded));
  if (leave === undefined) return { kind: "unknown" };
  try {
    onBegin();
    const result = await kube.read<T>(resource, ref, bounded);
    if (result.kind === "found") return { kind: "found", object: project(result.object) };
    // An unserved kind says nothing about the object: the CRD may soon be restored.
    return { kind: result.kind === "absent" ? "missing" : "unknown" };
  } catch {
    // The error is not lost: the response mentions it, and the metric counts it.
    return { kind: "unknown" };
  } finally {
    leave();
  }
}
