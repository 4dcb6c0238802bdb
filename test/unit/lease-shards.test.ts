import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { LEASE_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { CANDIDATES_LEASE, LeaseCandidates } from "../support/worker/lease-candidates.ts";

const noList = (verb: string): KubeError | undefined =>
  verb === "list" ? new KubeError("Forbidden", "no right", { retry: { kind: "backoff" } }) : undefined;

let all: LeaseCandidates;
beforeEach(() => {
  all = new LeaseCandidates();
});
afterEach(() => all.end());

describe("leases of shards", () => {
  test("are taken one by each candidate, and one more stands by", async () => {
    all.startSome(4, 3);
    assert.deepEqual(await all.pass(30_000), ["0/3", "1/3", "2/3"]);
  });

  test("are taken at once where nobody has ever led", async () => {
    for (let replica = 0; replica < 2; replica += 1) all.start(2, { hasLed: async () => false });
    assert.deepEqual(await all.pass(1_000), ["0/2", "1/2"]);
  });

  test("go to who stands by when a leader stops, or dies", async () => {
    const three = all.startSome(3, 2);
    await all.pass(40_000);
    const [first, second] = three.filter(({ shard }) => shard() !== undefined);
    first?.stop();
    assert.deepEqual(await all.pass(3_000), ["0/2", "1/2"]);
    all.start(2);
    second?.cutOff(true);
    assert.equal((await all.pass(7_000)).length, 2, "before it has ended");
    assert.deepEqual(await all.pass(25_000), ["0/2", "1/2"]);
  });

  for (const [before, after] of [
    [1, 4],
    [4, 1],
    [2, 3],
    [3, 2],
  ] as const) {
    test(`no namespace has two leaders, or none for long, while ${before} become ${after}, whatever the order of starts and stops`, async () => {
      const old = all.startSome(before + 1, before);
      await all.pass(40_000);
      all.startSome(after + 1, after);
      await all.pass(20_000);
      assert.equal(all.led().length, before, "the old ones lead until they end");
      for (const candidate of old) {
        candidate.stop();
        await all.pass(1_000);
      }
      assert.equal((await all.pass(45_000)).length, after);
    });
  }

  test("a worker that was cut off ends before those with another number begin, and its late renewal gives it nothing", async () => {
    const old = all.start(1);
    await all.pass(20_000);
    const fresh = all.startSome(2, 2);
    await all.pass(5_000);
    old.cutOff(true);
    assert.equal((await all.pass(60_000)).length, 2);
    old.cutOff(false);
    assert.equal((await all.pass(30_000)).length, 2);
    assert.ok(fresh.every(({ shard }) => shard() !== undefined));
  });

  test("one shard needs no right to list them where there has never been another number", async () => {
    all.start(1, { refuses: noList });
    assert.deepEqual(await all.pass(20_000), ["0/1"]);
  });

  test("shards do not begin while nobody can say whether others work", async () => {
    const two = all.start(2, { refuses: noList });
    assert.deepEqual(await all.pass(60_000), []);
    assert.ok(two.said("lease not acquired"));
  });
});

/** Milliseconds by which starts and deletions lie between two looks of a candidate. */
const PHASES = [250, 750, 1_250, 1_750];

describe("a lease of a shard that somebody deletes", () => {
  test("while the number changes makes no second leader, however often", async () => {
    const old = all.startSome(2, 2);
    await all.pass(40_000);
    const [zero, one] = old.toSorted((a, b) => (a.shard() ?? 0) - (b.shard() ?? 0));
    zero?.stop();
    const next = all.start(1);
    // Its holder makes it anew with its next renewal.
    for (let times = 0; times < 8; times += 1) {
      all.deleteLease(1);
      await all.pass(2_000);
    }
    assert.deepEqual(all.led(), ["1/2"]);
    assert.ok(next.said("waiting for workers with another number of shards to end"));
    one?.stop();
    assert.deepEqual(await all.pass(45_000), ["0/1"]);
  });

  for (const started of PHASES)
    for (const deleted of PHASES)
      test(`SH-1: does not let those begin whose own lease nobody has ever held (${started} and ${deleted} ms)`, async () => {
        all.start(1);
        await all.pass(20_000 + started);
        all.startSome(3, 2);
        await all.pass(20_000 + deleted);
        all.deleteLease(0);
        assert.deepEqual(await all.pass(60_000), ["0/1"]);
      });

  test("SH-1: is held by the first of two numbers alone also where its holder was not to be found", async () => {
    // Deleted all the time, for longer than a lease lasts: nothing can be known beforehand, and both see each other afterwards.
    const old = all.start(1);
    await all.pass(20_000);
    all.startSome(3, 2);
    await all.pass(20_000);
    old.cutOff(true);
    await all.pass(4_000);
    for (let times = 0; times < 16; times += 1) {
      all.deleteLease(0);
      await all.clock.advance(1_000);
    }
    old.cutOff(false);
    assert.deepEqual(await all.pass(60_000), ["0/2", "1/2"]);
  });

  for (const phase of PHASES)
    test(`SH-2: is waited for by looks, and not by the time since the last one (${phase} ms)`, async () => {
      const two = all.startSome(2, 2);
      await all.pass(40_000 + phase);
      all.start(1);
      await all.pass(3_000);
      for (const candidate of two) candidate.stop();
      await all.pass(3_000);
      const next = all.startSome(2, 2);
      await all.pass(40_000);
      const zero = next.find(({ shard }) => shard() === 0);
      if (zero === undefined) return;
      all.deleteLease(1);
      zero.stop();
      assert.deepEqual(await all.pass(20_000), ["1/2"]);
    });
});

describe("what leaders leave in their leases", () => {
  const left = { polled: "until noon", hand: "a class" };

  test("goes to the next leader of the shard as it is", async () => {
    const [first] = [all.start(2, { annotations: left }), all.start(2)];
    await all.pass(40_000);
    const shard = first.shard();
    first.stop();
    const next = all.start(2);
    await all.pass(30_000);

    assert.equal(next.shard(), shard);
    assert.equal(next.former()?.annotations["polled"], "until noon");
    assert.deepEqual(next.former()?.others, []);
  });

  test("SH-4: says nothing of polls to a leader of another number, and of classes in hand tells it those of all", async () => {
    const old = [all.start(2, { annotations: left }), all.start(2, { annotations: { ...left, hand: "another class" } })];
    await all.pass(40_000);
    for (const candidate of old) candidate.stop();
    await all.pass(1_000);
    const one = all.start(1);
    await all.pass(40_000);

    const { annotations = {}, others = [] } = one.former() ?? {};
    assert.equal(annotations["polled"], undefined);
    assert.deepEqual(new Set([annotations["hand"], ...others.map(({ hand }) => hand)]), new Set(["a class", "another class"]));
    const { metadata } = all.cluster.get(RESOURCES.leases, CANDIDATES_LEASE) ?? {};
    assert.equal(metadata?.annotations?.["polled"], undefined, "also where it ends before it has anything to say");
  });

  test("SH-5: a worker of 0.4.0, which leaves what it finds, does not pass for one of the shards", async () => {
    const old = all.startSome(2, 2);
    await all.pass(40_000);
    for (const candidate of old) candidate.stop();
    await all.pass(1_000);
    const renew = (): void => {
      const lease = all.cluster.get(RESOURCES.leases, CANDIDATES_LEASE);
      assert.match(lease?.metadata.annotations?.[LEASE_ANNOTATIONS.shards] ?? "", /^2 worker-/);
      const spec = { holderIdentity: "of 0.4.0", leaseDurationSeconds: 15, renewTime: new Date(all.clock.now()).toISOString() };
      all.cluster.put(RESOURCES.leases, {
        ...lease,
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: { ...CANDIDATES_LEASE, ...lease?.metadata },
        spec,
      } as never); // A Lease has a spec.
    };
    renew();
    all.startSome(3, 2);
    for (let at = 0; at < 60_000; at += 2_000) {
      renew();
      assert.deepEqual(await all.pass(2_000), []);
    }
  });
});
