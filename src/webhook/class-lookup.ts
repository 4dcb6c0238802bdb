import type { ClassFact } from "../domain/injection/credentials.ts";
import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../domain/kubernetes.ts";
import type { KubeClient, Reflector } from "../domain/ports.ts";

/** Long enough for an API server under load, short enough for the pod's creator who waits for it. */
const LONGEST_READ_MS = 500;

export interface ClassLookup {
  /** Never throws: what cannot be found out is `unknown`. */
  (ref: ObjectRef): Promise<ClassFact>;
}

export type LookupResult = "cached" | "read" | "missing" | "unknown";

export interface ClassLookupOptions {
  readonly classes: Pick<Reflector<SecretProviderClass>, "get">;
  readonly kube: Pick<KubeClient, "read">;
  readonly onLookup?: (result: LookupResult) => void;
}

/**
 * From the cache; a class that it lacks (created a moment ago, or the watch is behind) costs one live read. Pods that ask for
 * the same class at the same time share it: a Deployment of a thousand pods is one read, not a thousand.
 */
export function createClassLookup({ classes, kube, onLookup }: ClassLookupOptions): ClassLookup {
  const running = new Map<string, Promise<ClassFact>>();
  return async (ref) => {
    const cached = classes.get(ref);
    if (cached !== undefined) {
      onLookup?.("cached");
      return { kind: "found", class: cached };
    }
    const key = `${ref.namespace ?? ""}/${ref.name}`;
    const shared = running.get(key) ?? readLive(kube, ref).finally(() => running.delete(key));
    running.set(key, shared);
    const fact = await shared;
    onLookup?.(fact.kind === "found" ? "read" : fact.kind);
    return fact;
  };
}

async function readLive(kube: Pick<KubeClient, "read">, ref: ObjectRef): Promise<ClassFact> {
  try {
    const result = await kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, ref, AbortSignal.timeout(LONGEST_READ_MS));
    if (result.kind === "found") return { kind: "found", class: result.object };
    // An unserved kind says nothing of the class: its CRD may be on its way back.
    return { kind: result.kind === "absent" ? "missing" : "unknown" };
  } catch {
    // Decided, not swallowed: the answer carries a warning, and the metric counts it.
    return { kind: "unknown" };
  }
}
