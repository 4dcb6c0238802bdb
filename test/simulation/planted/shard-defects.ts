/** What can go wrong where the worker has shards. */
import type { Planted } from "./edits.ts";

export const SHARD_DEFECTS: readonly Planted[] = [
  {
    id: "SH1",
    world: "shards",
    shownBy: ["no two numbers of shards work at once"],
    what: "a candidate does not ask whether workers with another number of shards are at work",
    edits: [
      {
        file: "src/kube/lease-search.ts",
        find: "    return !isOver && !this.#store.isOurs(lease) && layoutOf(lease) !== shards;",
        replace: "    return isOver && !this.#store.isOurs(lease) && layoutOf(lease) < shards - shards;",
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
        replace: "    const isServed = shardOf(namespace, count) >= 0 && index >= 0;",
      },
    ],
  },
];
