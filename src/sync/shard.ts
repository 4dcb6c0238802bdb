import type { KubeWatcher, ReflectorOptions } from "../domain/ports/kube-watcher.ts";
import type { Shard } from "../domain/shards.ts";
import { shardOf } from "../runtime/shard-of.ts";

/** Names of namespaces that are remembered with their shard: they are free, and there can be any number over time. */
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

/** What a leader serves. */
export interface ServedShard extends Shard {
  /** It has what belongs to no namespace as well: one leader heals it, and tells of it. */
  readonly isFirst: boolean;
  readonly serves: Serves;
}

/** Keeps nothing that is in a namespace of another shard. What was asked for in one namespace is kept, whoever serves it. */
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
