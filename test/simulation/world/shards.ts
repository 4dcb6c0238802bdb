/** Number of the worker's shards. */
import type { Random } from "../time/random.ts";

export interface Shards {
  count: number;
  readonly most: number;
  /** Virtual milliseconds. */
  changedAt: number;
}

/** Time after a change in which processes with the old number may still run (milliseconds). */
const CHANGING_MS = 20 * 60_000;

export function isChanging({ changedAt }: Shards, now: number): boolean {
  return now < changedAt + CHANGING_MS;
}

export interface ShardsOptions {
  /** Share of the worlds in which the worker may have shards. */
  readonly share: number;
  readonly most: number;
}

export function startShards(random: Random, { share, most }: ShardsOptions): Shards {
  const changedAt = Number.NEGATIVE_INFINITY;
  if (most < 2 || !random.chance(share)) return { count: 1, most: 1, changedAt };
  return { count: 1 + random.below(most), most, changedAt };
}
