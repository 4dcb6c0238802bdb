import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { shardOf } from "../../src/runtime/shard-of.ts";
import { leaderWrites, oneNumberOfShards } from "../simulation/invariants/leader.ts";
import type { Machine } from "../simulation/time/machine.ts";
import { StagedWorld } from "../support/worker/staged-world.ts";

const NAMESPACES = ["team-0", "team-1", "team-2", "team-3"];

function namespaceOf(shard: number): string {
  const found = NAMESPACES.find((each) => shardOf(each, 2) === shard);
  assert.ok(found !== undefined);
  return found;
}

let staged: StagedWorld;
let found: string[];
beforeEach(() => {
  staged = new StagedWorld();
  found = [];
  for (const { watch } of [leaderWrites, oneNumberOfShards]) watch?.(staged.world, (text) => void found.push(text));
});

function take(machine: Machine, identity: string, index: number, count = 2): void {
  staged.takeLease(machine, identity, { index, count });
}

function write(machine: Machine, shard: number): void {
  const path = `/apis/keyvault-injector.dev/v1alpha1/namespaces/${namespaceOf(shard)}/secretproviderclasssyncs/app/status`;
  staged.sent({ machine, method: "PATCH", path });
}

describe("the simulation's invariant that only a leader writes", () => {
  test("is content with a leader of the shard of its write, and finds one of another shard", () => {
    take(staged.machine, "sync-0_1", 1);
    write(staged.machine, 1);
    assert.deepEqual(found, []);
    write(staged.machine, 0);
    assert.match(found.join(), /and leads shard 1 of 2$/);
  });

  // Seed 17 of the small world: sync-0 lost the Lease of shard 0, and its next process took that of shard 1.
  test("judges a process by the Lease that it took, and not by one that names an earlier process of its pod", () => {
    const next = staged.restarted();
    take(staged.machine, "sync-0_1", 0);
    take(next, "sync-0_2", 1);
    write(next, 1);
    assert.deepEqual(found, []);
    write(next, 0);
    assert.match(found.join(), /^sync-0\/2 sends .* and leads shard 1 of 2$/);
  });

  test("judges a process by the last Lease that it took: the answer to its first attempt may have been lost", () => {
    take(staged.machine, "sync-0_1", 0);
    take(staged.machine, "sync-0_1", 1);
    write(staged.machine, 1);
    assert.deepEqual(found, []);
    write(staged.machine, 0);
    assert.equal(found.length, 1);
  });

  test("finds a process that has no Lease, although one names an earlier process of its pod", () => {
    take(staged.machine, "sync-0_1", 0);
    write(staged.restarted(), 0);
    assert.match(found.join(), /^sync-0\/2 sends .* while sync-0_1 leads$/);
  });

  test("finds a process whose Lease another process has taken", () => {
    take(staged.machine, "sync-0_1", 0);
    take(staged.restarted(), "sync-0_2", 0);
    write(staged.machine, 0);
    assert.match(found.join(), /^sync-0\/1 sends .* while sync-0_2 leads$/);
  });
});

describe("the simulation's invariant of one number of shards", () => {
  test("counts for a process the shards of its own Lease, and not those of an earlier process of its pod", async () => {
    const [next, other] = [staged.restarted(), staged.standby()];
    take(staged.machine, "sync-0_1", 0, 1);
    take(other, "sync-1_1", 1);
    write(other, 1);
    await staged.pass(1_000);
    take(next, "sync-0_2", 2, 3);
    write(next, 0);
    await staged.pass(1_000);
    write(other, 1);
    assert.match(found.join(), /sync-1\/1 writes as one of 2 shards since 0, and sync-0\/2 as one of 3 at 1000/);
  });
});
