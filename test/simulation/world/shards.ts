/** How many shards the worker has, and that it may have them. */
import type { Random } from "../time/random.ts";
import type { Cluster } from "./cluster.ts";

const ROLE = "/apis/rbac.authorization.k8s.io/v1/namespaces/keyvault-injector/roles/keyvault-injector-sync";

export interface Shards {
  count: number;
  readonly most: number;
  /** Virtual milliseconds. */
  changedAt: number;
}

export interface ShardsOptions {
  /** Of the worlds. */
  readonly share: number;
  readonly most: number;
}

export function startShards(cluster: Cluster, random: Random, { share, most }: ShardsOptions): Shards {
  const changedAt = Number.NEGATIVE_INFINITY;
  if (most < 2 || !random.chance(share)) return { count: 1, most: 1, changedAt };
  allowShards(cluster);
  return { count: 1 + random.below(most), most, changedAt };
}

/** As the component does it. */
function allowShards(cluster: Cluster): void {
  const resourceNames = Array.from({ length: 15 }, (_, index) => `keyvault-injector-sync-${index + 1}`);
  const rule = { apiGroups: ["coordination.k8s.io"], resources: ["leases"], resourceNames, verbs: ["get", "create", "patch"] };
  cluster.request("PATCH", ROLE, [{ op: "add", path: "/rules/-", value: rule }], { contentType: "application/json-patch+json" });
}
