import type { ObjectRef } from "../domain/kubernetes.ts";
import type { KubeWatcher, Reflector, ReflectorOptions } from "../domain/ports/kube-watcher.ts";

/**
 * Returns a watcher that reads nothing outside the namespaces of `--namespaces`: it lists and watches each collection in each of them. If
 * there are none, it reads everywhere.
 */
export function inNamespaces(watcher: KubeWatcher, namespaces: readonly string[]): KubeWatcher {
  if (namespaces.length === 0) return watcher;
  return {
    reflect: <T>(options: ReflectorOptions<T>, signal: AbortSignal): Reflector<T> => {
      if (!options.resource.namespaced || options.namespace !== undefined) return watcher.reflect(options, signal);
      const parts = new Map(namespaces.map((namespace) => [namespace, watcher.reflect({ ...options, namespace }, signal)]));
      return together(parts);
    },
  };
}

/** Combines several live copies into one, which is as current as the least current of them. */
function together<T>(parts: ReadonlyMap<string, Reflector<T>>): Reflector<T> {
  const all = [...parts.values()];
  return {
    get hasSynced() {
      return all.every(({ hasSynced }) => hasSynced);
    },
    get isUnserved() {
      return all.some(({ isUnserved }) => isUnserved);
    },
    get lastActivity() {
      return Math.min(...all.map(({ lastActivity }) => lastActivity));
    },
    get silentFor() {
      return Math.max(...all.map(({ silentFor }) => silentFor));
    },
    get unbrokenSince() {
      return Math.max(...all.map(({ unbrokenSince }) => unbrokenSince));
    },
    get isFollowed() {
      return all.every(({ isFollowed }) => isFollowed);
    },
    get: (ref: ObjectRef) => parts.get(ref.namespace ?? "")?.get(ref),
    list: () => all.flatMap((part) => part.list()),
    relist: () => {
      for (const part of all) part.relist();
    },
    synced: async (signal) => {
      await Promise.all(all.map((part) => part.synced(signal)));
    },
  };
}
