import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { createLeaderElection } from "../../src/kube/lease.ts";
import { aborted } from "../../src/runtime/lifecycle.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const LEASE = { namespace: "install", name: "lease" };
const STEP_MS = 50;

interface Candidate {
  isAsleep: boolean;
  readonly stop: AbortController;
  readonly holdsLease: () => boolean;
  /** Outcome of its run. Undefined while it runs. */
  ended: string | undefined;
}

/** A process on a machine of its own. While the machine sleeps, none of its timers fire. */
function candidate(cluster: SimulatedCluster, clock: ManualClock, identity: string): Candidate {
  const own: Candidate = { isAsleep: false, stop: new AbortController(), holdsLease: () => election.holdsLease, ended: undefined };
  const machine = {
    now: () => clock.now(),
    elapsed: () => clock.now(),
    sleep: async (milliseconds: number, signal: AbortSignal) => {
      for (let left = milliseconds; left > 0; ) {
        await clock.sleep(Math.min(STEP_MS, left), signal);
        if (!own.isAsleep) left -= STEP_MS;
      }
    },
  };
  const given = { leases: LEASE, identity, fieldManager: "test", clock: machine, logger: recordingLogger(), hasLed: async () => true };
  const election = createLeaderElection(cluster.client, given);
  election.run(aborted, own.stop.signal).then(
    () => (own.ended = "stopped"),
    (error: unknown) => (own.ended = error instanceof Error ? error.name : String(error)),
  );
  return own;
}

async function pass(clock: ManualClock, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += STEP_MS) await clock.advance(STEP_MS);
}

describe("a leader whose machine slept", () => {
  test("LS-1: does not go on after another one has led, and released the lease", async () => {
    const clock = new ManualClock();
    const cluster = new SimulatedCluster(clock);
    const slept = candidate(cluster, clock, "slept");
    await pass(clock, 30_000);
    const next = candidate(cluster, clock, "next");
    await pass(clock, 5_000);
    assert.equal(slept.holdsLease(), true);

    slept.isAsleep = true;
    await pass(clock, 30_000);
    assert.equal(next.holdsLease(), true);
    next.stop.abort(new Error("replaced"));
    await pass(clock, 1_000);
    slept.isAsleep = false;
    await pass(clock, 10_000);

    assert.deepEqual([slept.ended, slept.holdsLease()], ["LeaseLost", false]);
    slept.stop.abort(new Error("over"));
  });

  test("goes on where nobody led, and somebody took its name out of the lease", async () => {
    const clock = new ManualClock();
    const cluster = new SimulatedCluster(clock);
    const slept = candidate(cluster, clock, "slept");
    await pass(clock, 30_000);

    slept.isAsleep = true;
    await pass(clock, 12_000);
    const never = new AbortController().signal;
    await cluster.client.mergePatch(RESOURCES.leases, LEASE, { spec: { holderIdentity: "" } }, { fieldManager: "somebody" }, never);
    slept.isAsleep = false;
    await pass(clock, 10_000);

    assert.deepEqual([slept.ended, slept.holdsLease()], [undefined, true]);
    slept.stop.abort(new Error("over"));
    await pass(clock, 1_000);
  });
});
