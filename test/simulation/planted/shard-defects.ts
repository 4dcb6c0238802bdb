/** Possible defects of a worker with shards. */
import type { Planted } from "./edits.ts";

export const SHARD_DEFECTS: readonly Planted[] = [
  {
    id: "SH1",
    world: "shards",
    shownBy: ["no two numbers of shards work at once"],
    what: "a candidate does not ask whether workers with another number of shards are at work, nor waits for them",
    edits: [
      {
        file: "src/kube/lease-search.ts",
        find: "    return !this.#isOver(lease) && this.#store.isHeldByAnother(lease) && shardCountOf(lease) !== this.#shards;",
        replace: "    return lease.metadata.name.length < 0 && shardCountOf(lease) < 0;",
      },
      {
        file: "src/kube/lease-search.ts",
        find: "    if (this.#aloneMs !== undefined && this.#aloneMs > this.#timing.leaseMs) return true;",
        replace: "    if (this.#aloneMs !== undefined && this.#aloneMs >= 0) return true;",
      },
    ],
  },
  {
    id: "SH2",
    world: "shards",
    shownBy: ["no write leaves a replica that does not lead"],
    what: "a shard keeps the classes of all namespaces",
    edits: [
      {
        file: "src/sync/shard.ts",
        find: "    const isServed = shardOf(namespace, count) === index;",
        replace: "    const isServed = shardOf(namespace, count) >= index - count;",
      },
    ],
  },
];
