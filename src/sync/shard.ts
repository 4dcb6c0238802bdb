import type { KubeWatcher, ReflectorOptions } from "../domain/ports/kube-watcher.ts";
import type { Shard } from "../domain/shards.ts";
import { shardOf } from "../runtime/shard-of.ts";

/** Number of namespaces whose shard is remembered. Users choose the names, so there can be any number over time. */
const MOST_REMEMBERED = 20_000;

/** Whether the shard serves a namespace. */
export type Serves = (namespace: string | undefined) => boolean;

export function servedBy({ index, count }: Shard): Serves {
  if (count === 1) return () => true;
  const known = new Map<string, boolean>();
  return (namespace = "") => {
    const remembered = known.get(namespace);
    if (remembered !== undefined) return remembered;
    const isServed = shardOf(namespace, count) === index;
    if (known.size >= MOST_REMEMBERED) known.clear();
    known.set(namespace, isServed);
    return isServed;
  };
}

/** The shard that a leader serves. */
export interface ServedShard extends Shard {
  /** Whether the shard also has the objects that belong to no namespace: only one leader heals them and reports on them. */
  readonly isFirst: boolean;
  readonly serves: Serves;
}

/**
 * Returns a watcher that drops objects in the namespaces of other shards. A watch of one given namespace keeps its objects, even if another
 * shard serves the namespace.
 */
export function inShard(watcher: KubeWatcher, serves: Serves): KubeWatcher {
  return {
    reflect: <T>(options: ReflectorOptions<T>, signal: AbortSignal) => {
      const { resource, namespace, project } = options;
      if (!resource.namespaced || namespace !== undefined) return watcher.reflect(options, signal);
      return watcher.reflect(
        { ...options, project: (object) => (serves(object.metadata.namespace) ? project(object) : undefined) },
        signal,
      );
    },
  };
}
