/** How many shards the worker has, and that it may have them. */
import { shardRights } from "../../support/cluster/shard-rights.ts";
import type { Random } from "../time/random.ts";
import type { Cluster } from "./cluster.ts";

const ROLE = "/apis/rbac.authorization.k8s.io/v1/namespaces/keyvault-injector/roles/keyvault-injector-sync";

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

export function startShards(cluster: Cluster, random: Random, { share, most }: ShardsOptions): Shards {
  const changedAt = Number.NEGATIVE_INFINITY;
  if (most < 2 || !random.chance(share)) return { count: 1, most: 1, changedAt };
  cluster.request("PATCH", ROLE, shardRights(), { contentType: "application/json-patch+json" });
  return { count: 1 + random.below(most), most, changedAt };
}
