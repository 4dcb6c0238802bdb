/** Shards of a worker. Each shard has a leader that serves a part of the namespaces. */
import { LEASE_ANNOTATIONS } from "./annotations.ts";
import type { KubeObject } from "./kubernetes.ts";

/** The worker's Role names the Lease of each shard. */
export const MOST_SHARDS = 16;

export interface Shard {
  /** Starts at 0. */
  readonly index: number;
  /** Number of all shards. */
  readonly count: number;
}

/** Returns the shard's part of a total that all shards share. */
export function partOf(all: number, { index, count }: Shard): number {
  return Math.floor(all / count) + (index < all % count ? 1 : 0);
}

/**
 * Returns the Lease of a shard. Shard 0 uses the Lease of a worker without shards, so that workers with and without shards see each other.
 */
export function shardLease(name: string, shard: number): string {
  return shard === 0 ? name : `${name}-${shard}`;
}

/** Returns the shard to which a Lease belongs; undefined if the Lease does not belong to the named worker. */
export function shardOfLease(name: string, lease: string): number | undefined {
  const shard = Array.from({ length: MOST_SHARDS }, (_, index) => shardLease(name, index)).indexOf(lease);
  return shard < 0 ? undefined : shard;
}

interface HeldLease extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string | null };
}

/**
 * Returns the number of shards that the current or last holder of a Lease counts. Returns 1 if the annotation is missing, invalid, or from
 * another holder, because 0.4.0 leaves existing annotations unchanged.
 */
export function shardCountOf({ metadata, spec }: HeldLease): number {
  const [text = "1", ...writer] = metadata.annotations?.[LEASE_ANNOTATIONS.shards]?.split(" ") ?? [];
  const holder = spec?.holderIdentity ?? "";
  const count = Number(text);
  const isMeant = Number.isInteger(count) && count >= 1 && count <= MOST_SHARDS && (holder === "" || writer.join(" ") === holder);
  return isMeant ? count : 1;
}

/** Returns the value of the annotation: the number of shards, and the identity of the writer. */
export function shardCountText(count: number, identity: string): string {
  return `${count} ${identity}`;
}
