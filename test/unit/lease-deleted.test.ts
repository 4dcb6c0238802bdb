import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import type { LeaderElection } from "../../src/kube/lease.ts";
import { createLeaderElection } from "../../src/kube/lease.ts";
import type { LeaderElectionOptions } from "../../src/kube/lease-options.ts";
import { aborted } from "../../src/runtime/lifecycle.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const LEASE = { namespace: "install", name: "lease" };
/** Duration of the lease in milliseconds. */
const TERM = 15_000;

describe("a lease that somebody deletes", () => {
  let clock: ManualClock;
  let cluster: SimulatedCluster;
  let stop: AbortController;
  /** Whether the first candidate is cut off from the API server. */
  let isCutOff: boolean;
  let ended: Promise<unknown>[];
  beforeEach(() => {
    clock = new ManualClock();
    cluster = new SimulatedCluster(clock);
    stop = new AbortController();
    isCutOff = false;
    ended = [];
  });

  const candidate = (identity: string, kube: KubeClient, hasLed: LeaderElectionOptions["hasLed"]): LeaderElection => {
    const options = { leases: LEASE, identity, fieldManager: "test", clock, logger: recordingLogger() };
    const election = createLeaderElection(kube, { ...options, ...(hasLed === undefined ? {} : { hasLed }) });
    ended.push(election.run(aborted, stop.signal).catch(() => undefined));
    return election;
  };
  const cutOff = (): KubeClient => {
    const refused = async (): Promise<never> => {
      throw new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } });
    };
    const { client } = cluster;
    return {
      ...client,
      read: (...given) => (isCutOff ? refused() : client.read(...given)),
      apply: (...given) => (isCutOff ? refused() : client.apply(...given)),
      mergePatch: (...given) => (isCutOff ? refused() : client.mergePatch(...given)),
    };
  };
  /** Returns for how many milliseconds both candidates held the lease, and after how many the second one held it. */
  const watched = async (first: LeaderElection, second: LeaderElection): Promise<{ readonly both: number; readonly until: number }> => {
    let both = 0;
    let until = Number.POSITIVE_INFINITY;
    for (let at = 0; at < 40_000; at += 500) {
      if (first.holdsLease && second.holdsLease) both += 500;
      if (second.holdsLease) until = Math.min(until, at);
      await clock.advance(500);
    }
    return { both, until };
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await clock.advance(0);
    await Promise.all(ended);
  };
  const deletedUnder = async (hasLed: LeaderElectionOptions["hasLed"]) => {
    const first = candidate("first", cutOff(), hasLed);
    await clock.advance(TERM + 5_000);
    assert.equal(first.holdsLease, true);
    const second = candidate("second", cluster.client, hasLed);
    await clock.advance(5_000);
    return { first, second };
  };

  test("C-12: makes no second leader while the first one, which is cut off, still counts on it", async () => {
    const { first, second } = await deletedUnder(async () => true);
    isCutOff = true;
    cluster.delete(RESOURCES.leases, LEASE);

    const { both, until } = await watched(first, second);

    assert.equal(both, 0);
    assert.ok(until > 10_000 && until <= TERM + 5_000, `after ${until} ms`);
    await end();
  });

  test("C-12: is taken at once where nobody can have led, which is what a deletion looked like", async () => {
    const { first, second } = await deletedUnder(undefined);
    isCutOff = true;
    cluster.delete(RESOURCES.leases, LEASE);

    const { both, until } = await watched(first, second);

    assert.ok(both > 5_000, `both for ${both} ms`);
    assert.ok(until < 5_000, `after ${until} ms`);
    await end();
  });

  test("C-12: stays with the leader, who makes it anew, also where a third candidate starts meanwhile", async () => {
    const { first, second } = await deletedUnder(async () => true);
    cluster.delete(RESOURCES.leases, LEASE);
    const third = candidate("third", cluster.client, async () => true);

    await clock.advance(60_000);

    assert.deepEqual([first.holdsLease, second.holdsLease, third.holdsLease], [true, false, false]);
    await end();
  });

  test("C-12: is waited for as if it were held where it cannot be said whether anybody has led", async () => {
    const only = candidate("only", cluster.client, async () => {
      throw new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } });
    });
    await clock.advance(TERM);
    assert.equal(only.holdsLease, false);
    await clock.advance(5_000);
    assert.equal(only.holdsLease, true);
    await end();
  });
});
