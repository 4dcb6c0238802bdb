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

export const WHOLE: Shard = { index: 0, count: 1 };

/** What the shard has of so many that all have together. */
export function partOf(all: number, { index, count }: Shard): number {
  return Math.floor(all / count) + (index < all % count ? 1 : 0);
}

/** Shard 0 has the Lease of a worker without shards, so that either finds the other. */
export function shardLease(name: string, shard: number): string {
  return shard === 0 ? name : `${name}-${shard}`;
}

interface HeldLease extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string | null };
}

/** How many shards the holder of a Lease, or the last one, counts. 1 where nothing is said, or by another: 0.4.0 leaves what it finds. */
export function layoutOf({ metadata, spec }: HeldLease): number {
  const [count = "1", ...writer] = metadata.annotations?.[LEASE_ANNOTATIONS.shards]?.split(" ") ?? [];
  const holder = spec?.holderIdentity ?? "";
  return holder === "" || writer.join(" ") === holder ? Number(count) : 1;
}

/** For the annotation: how many shards, and who says so. */
export function layoutText(shards: number, identity: string): string {
  return `${shards} ${identity}`;
}

/** The shard whose Lease it is; undefined where it is none of the named worker's. */
export function shardOfLease(name: string, lease: string): number | undefined {
  if (lease === name) return 0;
  if (!lease.startsWith(`${name}-`)) return undefined;
  const digits = lease.slice(name.length + 1);
  return /^[1-9]\d?$/.test(digits) && Number(digits) < MOST_SHARDS ? Number(digits) : undefined;
}
