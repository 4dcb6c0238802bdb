import { createHash } from "node:crypto";

/**
 * Rendezvous hashing: of all shards the one whose hash with the name is the highest has the namespace, so that one shard more takes its part from
 * all others, and no namespace moves between those.
 */
export function shardOf(namespace: string, count: number): number {
  const weights = Array.from({ length: count }, (_, shard) =>
    createHash("sha256").update(`${shard}/${namespace}`).digest().readUIntBE(0, 6),
  );
  return weights.indexOf(Math.max(...weights));
}
