import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { LEASE_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type Lease, RESOURCES } from "../../src/domain/kubernetes.ts";
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

  test("are not even tried while others begin, also where nobody has led so far", async () => {
    all.holdElsewhere(0, 1);
    const fresh = all.start(2, { hasLed: async () => false });
    await all.pass(10_000);
    assert.equal(fresh.requests.get("patch"), undefined);
  });

  test("are no Leases of somebody else's in the same namespace", async () => {
    all.cluster.put(RESOURCES.leases, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { namespace: CANDIDATES_LEASE.namespace, name: "somebody-elses" },
      spec: { holderIdentity: "somebody", leaseDurationSeconds: 3_600, renewTime: new Date(all.clock.now()).toISOString() },
    } as Lease);
    all.startSome(2, 2);
    assert.deepEqual(await all.pass(40_000), ["0/2", "1/2"]);
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
    test(`no namespace has two leaders, or none for long, while ${before} become ${after}, pod by pod`, async () => {
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

/** Milliseconds between two checks of a candidate at which starts and deletions happen. */
const PHASES = [250, 750, 1_250, 1_750];

describe("a lease of a shard that somebody deletes", () => {
  for (const phase of PHASES)
    test(`while the number changes makes no second leader, however often (${phase} ms)`, async () => {
      const old = all.startSome(2, 2);
      await all.pass(40_000 + phase);
      const [zero, one] = old.toSorted((a, b) => (a.shard() ?? 0) - (b.shard() ?? 0));
      zero?.stop();
      const next = all.start(1);
      // The holder creates the lease again with its next renewal.
      for (let times = 0; times < 8; times += 1) {
        all.deleteLease(1);
        await all.pass(2_250);
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

  // Although its lease appears to be free, a holder may appear for a moment, such as one whose lease was deleted.
  test("SH-2: is waited for by asking at each turn, and not by the time since somebody was there last", async () => {
    all.holdElsewhere(0, 1);
    const fresh = all.start(2);
    for (let turn = 0; turn < 10; turn += 1) {
      await all.pass(5_000);
      all.holdElsewhere(0, 1);
    }
    all.deleteLease(0);
    assert.deepEqual(await all.pass(14_000), [], "nobody was missing for as long as a lease lasts");
    await all.pass(30_000);
    assert.ok(fresh.shard() !== undefined);
  });
});

describe("a worker that finds others only after its write", () => {
  test("gives the lease back that it has just taken, and does not lead", async () => {
    let isMet = false;
    const fresh = all.start(2, {
      before: (verb) => {
        if (verb !== "patch" || isMet) return;
        isMet = true;
        all.holdElsewhere(1, 3);
      },
    });
    await all.pass(25_000);
    assert.ok(isMet);
    assert.equal(fresh.term(), undefined);
    const lease = all.cluster.get<Lease>(RESOURCES.leases, CANDIDATES_LEASE);
    assert.equal(lease?.spec?.holderIdentity, "");
  });

  test("ends where its lease was deleted, and those with another number had begun", async () => {
    let isDeleted = false;
    const old = all.start(1, { before: (verb) => void (isDeleted && verb === "apply" && all.holdElsewhere(1, 2)) });
    await all.pass(20_000);
    isDeleted = true;
    all.deleteLease(0);
    await all.pass(5_000);
    assert.equal(old.shard(), undefined);
  });

  test("ends where its machine has slept for longer than its lease, and those with another number have begun", async () => {
    let slept = 0;
    const old = all.start(1, { slept: () => slept });
    await all.pass(20_000);
    slept = 60_000;
    all.holdElsewhere(1, 2);
    await all.pass(5_000);
    assert.equal(old.shard(), undefined);
  });

  test("goes on where nobody has begun, and asks no further", async () => {
    let slept = 0;
    const old = all.start(1, { slept: () => slept });
    await all.pass(20_000);
    all.deleteLease(0);
    await all.pass(5_000);
    slept = 60_000;
    await all.pass(5_000);
    const asked = old.requests.get("list");
    await all.pass(30_000);
    assert.deepEqual(all.led(), ["0/1"]);
    assert.equal(old.requests.get("list"), asked);
  });
});

describe("what leaders leave in their leases", () => {
  const left = { polled: "until noon", hand: "a class" };

  test("goes to the next leader of the shard as it is", async () => {
    const first = all.start(2, { annotations: left });
    all.start(2);
    await all.pass(40_000);
    const shard = first.shard();
    first.stop();
    const next = all.start(2);
    await all.pass(30_000);

    assert.equal(next.shard(), shard);
    assert.equal(next.term()?.annotations["polled"], "until noon");
    assert.deepEqual(
      next.term()?.others.map(({ hand }) => hand),
      [undefined],
    );
  });

  test("SH-10: says nothing of polls to the leaders of a number that comes back, and of classes in hand those of all", async () => {
    const two = [all.start(2, { annotations: left }), all.start(2, { annotations: left })];
    await all.pass(40_000);
    for (const candidate of two) candidate.stop();
    await all.pass(1_000);
    const one = all.start(1, { annotations: { polled: "until night", hand: "a class that kills" } });
    await all.pass(60_000);
    one.stop();
    await all.pass(1_000);
    const again = all.startSome(2, 2);
    await all.pass(60_000);

    assert.deepEqual(all.led(), ["0/2", "1/2"]);
    for (const candidate of again) {
      const { annotations = {}, others = [] } = candidate.term() ?? {};
      assert.equal(annotations["polled"], undefined, `shard ${candidate.shard()}`);
      assert.ok(
        [annotations, ...others].some(({ hand }) => hand === "a class that kills"),
        `shard ${candidate.shard()}`,
      );
    }
  });

  test("SH-11: is no reason to lead nothing where the Role does not name the Leases of former shards", async () => {
    const two = all.startSome(2, 2);
    await all.pass(40_000);
    for (const candidate of two) candidate.stop();
    await all.pass(1_000);
    const forbidden = new KubeError("Forbidden", "patch leases worker-1: HTTP 403", { retry: { kind: "backoff" }, status: 403 });
    const one = all.start(1, {
      refuses: (verb, lease) => (verb === "patch" && lease !== CANDIDATES_LEASE.name ? forbidden : undefined),
    });

    assert.deepEqual(await all.pass(60_000), ["0/1"]);
    assert.ok(one.said("lease of a former shard not cleared"));
  });

  test("SH-4: says nothing of polls to a leader of another number, and of classes in hand tells it those of all", async () => {
    const old = [all.start(2, { annotations: left }), all.start(2, { annotations: { ...left, hand: "another class" } })];
    await all.pass(40_000);
    for (const candidate of old) candidate.stop();
    await all.pass(1_000);
    const one = all.start(1);
    await all.pass(40_000);

    const { annotations = {}, others = [] } = one.term() ?? {};
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
