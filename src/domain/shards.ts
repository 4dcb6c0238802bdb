/** Shards of a worker: leaders that each serve a part of the namespaces. */
import { LEASE_ANNOTATIONS } from "./annotations.ts";
import type { KubeObject } from "./kubernetes.ts";

/** The worker's Role names the Lease of each. */
export const MOST_SHARDS = 16;

export interface Shard {
  /** From 0. */
  readonly index: number;
  /** Of all. */
  readonly count: number;
}

/** What the shard has of so many that all have together. */
export function partOf(all: number, { index, count }: Shard): number {
  return Math.floor(all / count) + (index < all % count ? 1 : 0);
}

/** Shard 0 has the Lease of a worker without shards, so that either finds the other. */
export function shardLease(name: string, shard: number): string {
  return shard === 0 ? name : `${name}-${shard}`;
}

/** The shard whose Lease it is; undefined where it is none of the named worker's. */
export function shardOfLease(name: string, lease: string): number | undefined {
  const shard = Array.from({ length: MOST_SHARDS }, (_, index) => shardLease(name, index)).indexOf(lease);
  return shard < 0 ? undefined : shard;
}

interface HeldLease extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string | null };
}

/** How many shards the holder of a Lease, or the last one, counts. 1 where nothing is said that can be meant, or by another: 0.4.0 leaves what it finds. */
export function shardCountOf({ metadata, spec }: HeldLease): number {
  const [text = "1", ...writer] = metadata.annotations?.[LEASE_ANNOTATIONS.shards]?.split(" ") ?? [];
  const holder = spec?.holderIdentity ?? "";
  const count = Number(text);
  const isMeant = Number.isInteger(count) && count >= 1 && count <= MOST_SHARDS && (holder === "" || writer.join(" ") === holder);
  return isMeant ? count : 1;
}

/** For the annotation: how many shards, and who says so. */
export function shardCountText(count: number, identity: string): string {
  return `${count} ${identity}`;
}
