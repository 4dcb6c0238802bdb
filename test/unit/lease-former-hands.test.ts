/** Classes that a worker had in hand when it died as the leader of a former shard. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, test } from "node:test";
import { LEASE_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type Lease, RESOURCES, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { refOfKey } from "../../src/domain/object-key.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { shardLease } from "../../src/domain/shards.ts";
import { type Hands, readLeaving, writeLeaving } from "../../src/domain/sync/in-hand.ts";
import { inheritHands } from "../../src/sync/inherit-hands.ts";
import { Quarantine } from "../../src/sync/quarantine.ts";
import { servedBy } from "../../src/sync/shard.ts";
import { CANDIDATES_LEASE, type Candidate, type CandidateOptions, LeaseCandidates } from "../support/worker/lease-candidates.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const VERSION = "1";
const EVERYTHING = { kind: "everything", due: 0, interval: 0, period: 0, credentialsMs: 0, sharedMs: 0 } as const;
/** Digest of the uid, the generation and the refresh annotation of the classes. */
const FORM = createHash("sha256")
  .update(JSON.stringify(["uid", 1, undefined]))
  .digest("hex")
  .slice(0, 16);
const CLASSES = ["a/app", "b/app", "c/app", "d/app"];

let all: LeaseCandidates;
beforeEach(() => {
  all = new LeaseCandidates();
});
afterEach(() => all.end());

/** Writes what the leader of that shard left when it died, with these classes in hand, each for the second time. */
function died(shard: number, keys: readonly string[]): void {
  const classes = new Map(keys.map((key) => [key, { form: FORM, deaths: 1, isInHand: true, isNew: false }]));
  const name = shardLease(CANDIDATES_LEASE.name, shard);
  const annotations = { [LEASE_ANNOTATIONS.inHand]: writeLeaving({ version: VERSION, isLeading: true, classes }) };
  const renewTime = new Date(all.clock.now() - 60_000).toISOString();
  const spec = { holderIdentity: "dead", leaseDurationSeconds: 15, renewTime };
  all.cluster.put(RESOURCES.leases, {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { ...CANDIDATES_LEASE, name, annotations },
    spec,
  } as Lease);
}

interface Worker {
  readonly candidate: Candidate;
  readonly quarantine: Quarantine;
}

/** A candidate that as a leader takes over what the leaders before had in hand, as the worker does. */
function worker(shards: number, refuses: CandidateOptions["refuses"] = () => undefined): Worker {
  const quarantine = new Quarantine({ version: VERSION, clock: all.clock, logger: recordingLogger(), store: async () => undefined });
  const candidate = all.start(shards, {
    refuses,
    annotations: () => quarantine.annotations(),
    takeOver: (election, term, signal) => {
      const serves = servedBy({ index: term.shard, count: shards });
      return inheritHands({ election, quarantine, term, isOurs: (key) => serves(refOfKey(key).namespace) }, signal);
    },
  });
  return { candidate, quarantine };
}

function stopInOrder({ candidate, quarantine }: Worker): void {
  quarantine.finish();
  candidate.stop();
}

function handsIn(shard: number): Hands | undefined {
  const lease = all.cluster.get(RESOURCES.leases, { ...CANDIDATES_LEASE, name: shardLease(CANDIDATES_LEASE.name, shard) });
  return readLeaving(lease?.metadata.annotations?.[LEASE_ANNOTATIONS.inHand] ?? "", VERSION)?.classes;
}

const deathsIn = (shard: number): Readonly<Record<string, number>> =>
  Object.fromEntries([...(handsIn(shard) ?? [])].map(([key, { deaths }]) => [key, deaths]));

/** Reconciles the class, which goes well. */
async function reconcile({ quarantine }: Worker, classKey: string): Promise<void> {
  const provider = { metadata: { ...refOfKey(classKey), uid: "uid", generation: 1 } } as SecretProviderClass;
  const went = { kind: "answered", notFresh: undefined, checkedAt: 0, retry: { kind: "backoff" }, secrets: [], warnings: [] } as const;
  quarantine.admit(classKey, () => false, provider);
  await quarantine.guarded(async () => went)(provider, EVERYTHING, new AbortController().signal);
  quarantine.end(classKey);
}

describe("RA4: what a leader of a former shard had in hand when it died", () => {
  test("is counted by one leader, and not by the next one again", async () => {
    died(1, ["a/app"]);
    const first = worker(1);
    await all.pass(40_000);
    assert.deepEqual(deathsIn(0), { "a/app": 2 });
    assert.equal(handsIn(1), undefined, "the Lease of the former shard has no record left");

    await reconcile(first, "a/app");
    await all.pass(5_000);
    stopInOrder(first);
    const second = worker(1);
    await all.pass(40_000);
    assert.notEqual(second.candidate.shard(), undefined);
    assert.deepEqual(deathsIn(0), {}, "the class went well");
  });

  test("goes to the shards that have its classes now, whichever begins first", async () => {
    died(2, CLASSES);
    died(3, []);
    const ofShard = (shard: number): readonly string[] => {
      const serves = servedBy({ index: shard, count: 2 });
      return CLASSES.filter((key) => serves(refOfKey(key).namespace));
    };
    assert.ok(ofShard(0).length > 0 && ofShard(1).length > 0, "both shards have some");
    worker(2);
    await all.pass(60_000);
    const [begun, other] = deathsIn(0)[ofShard(0)[0] ?? ""] === undefined ? [1, 0] : [0, 1];
    assert.deepEqual(Object.keys(deathsIn(begun)), ofShard(begun));
    assert.deepEqual([...(handsIn(2)?.keys() ?? [])], ofShard(other), "left for the other");
    worker(2);
    await all.pass(60_000);
    assert.deepEqual(Object.keys(deathsIn(other)), ofShard(other));
    assert.equal(handsIn(2), undefined);
    assert.equal(handsIn(3), undefined);
  });

  test("stays where it is until the leader's own Lease has it", async () => {
    died(1, ["a/app"]);
    let isTaken = false;
    let patches = 0;
    worker(1, (verb, lease) => {
      if (verb !== "patch" || lease !== CANDIDATES_LEASE.name) return undefined;
      patches += 1;
      isTaken = patches > 1;
      return isTaken ? new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } }) : undefined;
    });
    await all.pass(40_000);
    assert.ok(isTaken);
    assert.deepEqual(deathsIn(1), { "a/app": 1 });
  });

  test("keeps no leader from its work where it may not be cleared", async () => {
    died(1, ["a/app"]);
    const { candidate } = worker(1, (verb, lease) =>
      verb === "patch" && lease === shardLease(CANDIDATES_LEASE.name, 1)
        ? new KubeError("Forbidden", "no right", { retry: { kind: "never" } })
        : undefined,
    );
    await all.pass(40_000);
    assert.notEqual(candidate.shard(), undefined);
    assert.ok(candidate.said("lease of a former shard not cleared"));
  });
});
