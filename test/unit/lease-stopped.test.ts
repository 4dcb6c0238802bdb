import assert from "node:assert/strict";
import { test } from "node:test";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { createLeaderElection } from "../../src/kube/lease.ts";
import { aborted } from "../../src/runtime/lifecycle.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const LEASE = { namespace: "install", name: "lease" };

interface Lease extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string };
}

test("C-14: a candidate that is told to stop while it takes the lease gives it back, and the next one need not wait for its end", async () => {
  const clock = new ManualClock();
  const cluster = new SimulatedCluster(clock);
  const stop = new AbortController();
  const written: string[] = [];
  // Behaves as a client does: the API server receives the write, and a caller that stopped waiting gets no answer.
  const kube: KubeClient = {
    ...cluster.client,
    mergePatch: async (...given) => {
      const answer = await cluster.client.mergePatch<Lease>(...given);
      written.push(answer.spec?.holderIdentity ?? "");
      stop.abort();
      given[4].throwIfAborted();
      return answer as never; // The caller asked for this type.
    },
  };
  const given = { leases: LEASE, fieldManager: "test", clock, logger: recordingLogger(), hasLed: async () => false };
  let hasLed = false;
  const first = createLeaderElection(kube, { ...given, identity: "first" }).run(async (signal) => {
    hasLed = true;
    return aborted(signal);
  }, stop.signal);
  await clock.advance(0);
  await first;

  assert.deepEqual([written, hasLed], [["first", ""], false]);
  assert.equal(cluster.get<Lease>(RESOURCES.leases, LEASE)?.spec?.holderIdentity ?? "", "");

  const end = new AbortController();
  const next = createLeaderElection(cluster.client, { ...given, identity: "next" });
  const running = next.run(aborted, end.signal);
  await clock.advance(3_000);
  assert.equal(next.holdsLease, true);
  end.abort();
  await clock.advance(0);
  await running.catch(() => undefined);
});
