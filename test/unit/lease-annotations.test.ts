import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { createLeaderElection } from "../../src/kube/lease.ts";
import type { LeaseAnnotations } from "../../src/kube/lease-record.ts";
import { aborted } from "../../src/runtime/lifecycle.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

describe("what a leader leaves to the next", () => {
  const clock = new ManualClock();
  const cluster = new SimulatedCluster(clock);
  const common = { leases: { namespace: "install", name: "lease" }, fieldManager: "test", clock, logger: recordingLogger() };
  const kept = (): LeaseAnnotations | undefined =>
    cluster.get(RESOURCES.leases, { namespace: "install", name: "lease" })?.metadata.annotations;

  test("goes with each renewal and with the release, and is there when the next begins", async () => {
    let polls = 0;
    const stop = new AbortController();
    const first = createLeaderElection(cluster.client, { ...common, identity: "first", annotations: () => ({ polls: String(polls) }) });
    const led = first.run(aborted, stop.signal);
    await clock.advance(5_000);
    assert.equal(kept()?.["polls"], "0");
    polls = 1;
    await clock.advance(2_000);
    assert.equal(kept()?.["polls"], "1");
    polls = 2;
    stop.abort();
    await clock.advance(0);
    await led;
    assert.equal(kept()?.["polls"], "2");

    const found: LeaseAnnotations[] = [];
    const end = new AbortController();
    const annotations = (): LeaseAnnotations => (found.length === 0 ? { polls: "of nobody" } : {});
    const second = createLeaderElection(cluster.client, { ...common, identity: "second", annotations });
    const leads = second.run(async (signal, { annotations: before }) => {
      found.push(before);
      await aborted(signal);
    }, end.signal);
    await clock.advance(10_000);

    assert.deepEqual(found, [{ polls: "2" }]);
    assert.equal(kept()?.["polls"], "2", "what is left out stays");
    end.abort();
    await clock.advance(0);
    await leads;
  });
});
