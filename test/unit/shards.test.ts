import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { judgeStatus } from "../../src/cli/doctor/class/secrets.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import type { KubeWatcher, ReflectorOptions } from "../../src/domain/ports/kube-watcher.ts";
import { admit, noPressure, rateOf } from "../../src/domain/schedule/vault-pressure.ts";
import { MOST_SHARDS, partOf, shardLease, shardOfLease } from "../../src/domain/shards.ts";
import { parseQueueSetting, queueOfShard } from "../../src/domain/vault-events/queue-setting.ts";
import { parseConfig } from "../../src/runtime/config.ts";
import { shardOf } from "../../src/runtime/shard-of.ts";
import { inShard, servedBy } from "../../src/sync/shard.ts";

const NAMESPACES = Array.from({ length: 3_000 }, (_, index) => `team-${index}`);

describe("shards of the worker", () => {
  test("serve each namespace once, and about as many each", () => {
    for (const count of [2, 3, 4, 7, MOST_SHARDS]) {
      const shards = Array.from({ length: count }, (_, index) => servedBy({ index, count }));
      const served = NAMESPACES.map((namespace) => shards.flatMap((serves, index) => (serves(namespace) ? [index] : [])));
      assert.ok(served.every((each) => each.length === 1));
      const sizes = Array.from({ length: count }, (_, index) => served.filter(([shard]) => shard === index).length);
      assert.ok(Math.max(...sizes) < (NAMESPACES.length / count) * 1.3, `${count}: ${sizes.join(" ")}`);
      assert.ok(Math.min(...sizes) > (NAMESPACES.length / count) * 0.7, `${count}: ${sizes.join(" ")}`);
    }
  });

  test("take from all where there is one more, and leave every other namespace where it is", () => {
    for (const count of [1, 2, 5, 15]) {
      const moved = NAMESPACES.filter((namespace) => shardOf(namespace, count) !== shardOf(namespace, count + 1));
      assert.ok(moved.every((namespace) => shardOf(namespace, count + 1) === count));
      const part = NAMESPACES.length / (count + 1);
      assert.ok(moved.length > part * 0.7 && moved.length < part * 1.3, `${count}: ${moved.length}`);
    }
  });

  // An upgrade must not move namespaces to other shards.
  test("are the same in every version", () => {
    const shards = ["default", "kube-system", "team-a", "team-b", "payments", "shop"].map((namespace) => shardOf(namespace, 4));
    assert.deepEqual(shards, [1, 3, 1, 1, 0, 0]);
  });

  test("have Leases by their numbers, and no others are theirs", () => {
    const leases = Array.from({ length: MOST_SHARDS }, (_, shard) => shardLease("sync", shard));
    assert.deepEqual(leases.slice(0, 3), ["sync", "sync-1", "sync-2"]);
    assert.deepEqual(
      leases.map((lease) => shardOfLease("sync", lease)),
      leases.map((_, shard) => shard),
    );
    for (const other of ["sync-0", "sync-01", `sync-${MOST_SHARDS}`, "sync-1a", "sync-", "synchronous", "my-sync-1", "sync-100"])
      assert.equal(shardOfLease("sync", other), undefined, other);
  });

  test("have together what a setting allows the install", () => {
    for (const [all, count] of [
      [9_999, 4],
      [3, 3],
      [7, 5],
    ] as const) {
      const parts = Array.from({ length: count }, (_, index) => partOf(all, { index, count }));
      assert.equal(
        parts.reduce((sum, part) => sum + part, 0),
        all,
      );
      assert.ok(Math.min(...parts) >= 1);
    }
  });
});

describe("the budget of a vault", () => {
  test("is asked for together by all shards, and by each for its part", () => {
    let pressure = noPressure(undefined, 1 / 4);
    assert.equal(rateOf(pressure), rateOf(noPressure()) / 4);
    const waits = Array.from({ length: 200 }, () => {
      const admission = admit(pressure, { now: 0, isKey: false });
      assert.equal(admission.kind, "go");
      if (admission.kind === "go") pressure = admission.pressure;
      return admission.kind === "go" ? admission.waitMs : Number.NaN;
    });
    assert.equal(waits.filter((wait) => wait === 0).length, 125, "a quarter of the 500 that may go at once");
  });
});

describe("settings of shards", () => {
  const problems = (...argv: string[]): readonly string[] => {
    const parsed = parseConfig(argv, {});
    return parsed.ok ? [] : parsed.error;
  };
  const QUEUE = "https://account.queue.core.windows.net";

  test("refuse what shards cannot share, with what to write", () => {
    assert.deepEqual(problems("--shards=17"), ['--shards: "17": write a number from 1 to 16']);
    assert.match(problems("--shards=3", "--max-rollouts=2").join(), /^--max-rollouts: 2 is less than the 3 of --shards.*write 3 or more$/);
    assert.match(
      problems("--shards=2", `--event-queues=${QUEUE}/events`).join(),
      /^--event-queues: account.*\/events: with --shards=2, .*such as vault-events-\{shard\}$/,
    );
    assert.deepEqual(problems("--shards=2", "--max-rollouts=2", `--event-queues=${QUEUE}/events-{shard}`), []);
  });

  test("name a queue for each shard, in its name alone", () => {
    const parsed = parseQueueSetting(`${QUEUE}/events-{shard}`);
    assert.ok(parsed.ok);
    assert.equal(queueOfShard(parsed.value, 3).url, `${QUEUE}/events-3`);
    assert.equal(parseQueueSetting("https://account{shard}.queue.core.windows.net/events").ok, false);
  });
});

describe("the live copies of a shard", () => {
  const namespace = NAMESPACES.find((name) => shardOf(name, 2) === 0) ?? "";
  const foreign = NAMESPACES.find((name) => shardOf(name, 2) === 1) ?? "";
  const keeps = (given: Pick<ReflectorOptions<string>, "resource" | "namespace">, at: string | undefined): boolean => {
    let asked: ReflectorOptions<string> | undefined;
    const watcher: KubeWatcher = {
      reflect: <T>(options: ReflectorOptions<T>) => {
        asked = options as unknown as ReflectorOptions<string>; // The options are those that the test passes below.
        return undefined as never;
      },
    };
    const options = { ...given, project: () => "kept" };
    inShard(watcher, servedBy({ index: 0, count: 2 })).reflect(options, new AbortController().signal);
    const metadata = { name: "one", ...(at === undefined ? {} : { namespace: at }) };
    return asked?.project({ apiVersion: "v1", kind: "Any", metadata }) === "kept";
  };

  test("keep what is in its namespaces and what is in none", () => {
    assert.equal(keeps({ resource: RESOURCES.secrets }, namespace), true);
    assert.equal(keeps({ resource: RESOURCES.secrets }, foreign), false);
    assert.equal(keeps({ resource: RESOURCES.namespaces }, undefined), true);
  });

  test("keep what was asked for in one namespace, as the install's records", () => {
    assert.equal(keeps({ resource: RESOURCES.secrets, namespace: foreign }, foreign), true);
  });
});

describe("the shard of a class", () => {
  test("is named by doctor where there are several", () => {
    const of = (count: number) => ({
      namespace: "team-a",
      name: "demo",
      generation: 1,
      off: undefined,
      makesSecrets: true,
      shard: { index: shardOf("team-a", count), count },
    });
    assert.match(
      judgeStatus(of(4), undefined).fix ?? "",
      /^Make sure that a worker leads shard 1 of 4 \(Lease keyvault-injector-sync-1\): /,
    );
    assert.match(judgeStatus(of(1), undefined).fix ?? "", /^Make sure that a worker leads: /);
  });
});
