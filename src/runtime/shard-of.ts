import { createHash } from "node:crypto";

/**
 * Returns the shard of a namespace by rendezvous hashing: the shard whose hash with the name is the highest. An additional shard takes its
 * part from all others, and no namespace moves between those.
 */
export function shardOf(namespace: string, count: number): number {
  const weights = Array.from({ length: count }, (_, shard) =>
    createHash("sha256").update(`${shard}/${namespace}`).digest().readUIntBE(0, 6),
  );
  return weights.indexOf(Math.max(...weights));
}
