import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { shardLease } from "../../src/domain/shards.ts";
import { createLeaderElection, type LeaderElection } from "../../src/kube/lease.ts";
import { aborted } from "../../src/runtime/lifecycle.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const LEASE = { namespace: "install", name: "worker" };

interface Candidate {
  readonly shards: number;
  readonly election: LeaderElection;
  readonly shard: () => number | undefined;
  readonly logger: ReturnType<typeof recordingLogger>;
  readonly stop: () => void;
  /** Its requests fail from now on. */
  readonly cutOff: (isCutOff: boolean) => void;
}

const said = ({ entries }: ReturnType<typeof recordingLogger>, message: string): boolean =>
  entries.some((entry) => entry.message === message);

describe("leases of shards", () => {
  let clock: ManualClock;
  let cluster: SimulatedCluster;
  let candidates: Candidate[];
  let ended: Promise<unknown>[];
  beforeEach(() => {
    clock = new ManualClock();
    cluster = new SimulatedCluster(clock);
    candidates = [];
    ended = [];
  });

  const start = (shards: number, refuses: (verb: string) => KubeError | undefined = () => undefined): Candidate => {
    const stop = new AbortController();
    const logger = recordingLogger();
    let isCutOff = false;
    let led: number | undefined;
    const guarded = <Call extends (...given: never[]) => Promise<unknown>>(verb: string, call: Call): Call =>
      (async (...given: Parameters<Call>) => {
        const refusal = isCutOff ? new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } }) : refuses(verb);
        if (refusal !== undefined) throw refusal;
        return call(...given);
      }) as unknown as Call; // As it is called.
    const { client } = cluster;
    const kube: KubeClient = {
      ...client,
      read: guarded("get", client.read.bind(client)),
      list: guarded("list", client.list.bind(client)),
      apply: guarded("apply", client.apply.bind(client)),
      mergePatch: guarded("patch", client.mergePatch.bind(client)),
    };
    const identity = `worker-${candidates.length}`;
    const election = createLeaderElection(kube, {
      ...LEASE,
      shards,
      identity,
      fieldManager: "test",
      clock,
      logger,
      hasLed: async () => true,
    });
    const lead = async (signal: AbortSignal, _before: unknown, shard: number): Promise<void> => {
      led = shard;
      await aborted(signal);
    };
    ended.push(election.run(lead, stop.signal).catch(() => undefined));
    const candidate: Candidate = {
      shards,
      election,
      shard: () => (election.holdsLease ? led : undefined),
      logger,
      stop: () => stop.abort(),
      cutOff: (given) => {
        isCutOff = given;
      },
    };
    candidates.push(candidate);
    return candidate;
  };

  /** What is led at this moment, each as `shard/shards`; fails where a namespace has two leaders. */
  const led = (): readonly string[] => {
    const holding = candidates.flatMap(({ shards, shard }) => (shard() === undefined ? [] : [`${shard()}/${shards}`]));
    assert.equal(new Set(holding).size, holding.length, `twice: ${holding.join(" ")}`);
    assert.ok(new Set(holding.map((one) => one.split("/")[1])).size <= 1, `two numbers of shards at once: ${holding.join(" ")}`);
    return holding.toSorted();
  };
  const pass = async (milliseconds: number): Promise<readonly string[]> => {
    for (let at = 0; at < milliseconds; at += 250) {
      await clock.advance(250);
      led();
    }
    return led();
  };
  const end = async (): Promise<void> => {
    for (const { stop } of candidates) stop();
    await clock.advance(0);
    await Promise.all(ended);
  };

  test("are taken one by each candidate, and one more stands by", async () => {
    for (let replica = 0; replica < 4; replica += 1) start(3);
    assert.deepEqual(await pass(30_000), ["0/3", "1/3", "2/3"]);
    await end();
  });

  test("go to who stands by when a leader stops, or dies", async () => {
    const all = Array.from({ length: 3 }, () => start(2));
    await pass(30_000);
    const [first, second] = all.filter(({ shard }) => shard() !== undefined);
    first?.stop();
    assert.deepEqual(await pass(5_000), ["0/2", "1/2"]);
    start(2);
    second?.cutOff(true);
    assert.equal((await pass(7_000)).length, 2, "before it has ended");
    assert.deepEqual(await pass(25_000), ["0/2", "1/2"]);
    await end();
  });

  for (const [before, after] of [
    [1, 4],
    [4, 1],
    [2, 3],
    [3, 2],
  ] as const) {
    test(`no namespace has two leaders, or none for long, while ${before} become ${after}, whatever the order of starts and stops`, async () => {
      const old = Array.from({ length: before + 1 }, () => start(before));
      await pass(30_000);
      for (let replica = 0; replica <= after; replica += 1) start(after);
      await pass(20_000);
      assert.equal(led().length, before, "the old ones lead until they end");
      for (const candidate of old) {
        candidate.stop();
        await pass(1_000);
      }
      assert.equal((await pass(45_000)).length, after);
      await end();
    });
  }

  test("a worker that was cut off ends before those with another number begin, and its late renewal gives it nothing", async () => {
    const old = start(1);
    await pass(20_000);
    const fresh = [start(2), start(2)];
    await pass(5_000);
    old.cutOff(true);
    assert.equal((await pass(60_000)).length, 2);
    old.cutOff(false);
    assert.equal((await pass(30_000)).length, 2);
    assert.ok(fresh.every(({ shard }) => shard() !== undefined));
    await end();
  });

  test("a lease that somebody deletes while the number changes makes no second leader", async () => {
    const old = [start(2), start(2)];
    await pass(30_000);
    const [zero, one] = old.toSorted((a, b) => (a.shard() ?? 0) - (b.shard() ?? 0));
    zero?.stop();
    const { logger } = start(1);
    // Its holder makes it anew with its next renewal.
    for (let times = 0; times < 8; times += 1) {
      cluster.delete(RESOURCES.leases, { ...LEASE, name: shardLease(LEASE.name, 1) });
      await pass(2_000);
    }
    assert.deepEqual(led(), ["1/2"]);
    assert.ok(said(logger, "waiting for workers with another number of shards to end"));
    one?.stop();
    assert.deepEqual(await pass(45_000), ["0/1"]);
    await end();
  });

  test("one shard needs no right to list them where there has never been another number", async () => {
    const refuses = (verb: string): KubeError | undefined =>
      verb === "list" ? new KubeError("Forbidden", "no right", { retry: { kind: "backoff" } }) : undefined;
    start(1, refuses);
    assert.deepEqual(await pass(20_000), ["0/1"]);
    await end();
  });

  test("shards do not begin while nobody can say whether others work", async () => {
    const refuses = (verb: string): KubeError | undefined =>
      verb === "list" ? new KubeError("Forbidden", "no right", { retry: { kind: "backoff" } }) : undefined;
    const two = start(2, refuses);
    assert.deepEqual(await pass(60_000), []);
    assert.ok(said(two.logger, "lease not acquired"));
    await end();
  });
});
