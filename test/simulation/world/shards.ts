/** How many shards the worker has. */
import type { Random } from "../time/random.ts";

export interface Shards {
  count: number;
  readonly most: number;
  /** Virtual milliseconds. */
  changedAt: number;
}

/** So long after their number was changed those with the old one may still be there (milliseconds). */
const CHANGING_MS = 20 * 60_000;

export function isChanging({ changedAt }: Shards, now: number): boolean {
  return now < changedAt + CHANGING_MS;
}

export interface ShardsOptions {
  /** Of the worlds. */
  readonly share: number;
  readonly most: number;
}

export function startShards(random: Random, { share, most }: ShardsOptions): Shards {
  const changedAt = Number.NEGATIVE_INFINITY;
  if (most < 2 || !random.chance(share)) return { count: 1, most: 1, changedAt };
  return { count: 1 + random.below(most), most, changedAt };
}
