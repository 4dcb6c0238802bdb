import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import type { KubeClient, ReadResult } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { createLeaderElection } from "../../src/kube/lease.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

/** A Lease in memory, on a server that a test can switch off. */
class LeaseServer {
  lease: KubeObject = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { namespace: "n", name: "l", resourceVersion: "1" },
  };
  writes = 0;
  tries = 0;
  isDown = false;

  readonly kube: Pick<KubeClient, "read" | "list" | "mergePatch"> = {
    list: async <T extends KubeObject>() => {
      this.#answer();
      return [this.lease as T]; // The only lease.
    },
    read: async <T extends KubeObject>(): Promise<ReadResult<T>> => {
      this.#answer();
      return { kind: "found", object: this.lease as T }; // The only lease.
    },
    mergePatch: async <T extends KubeObject>(_resource: unknown, _ref: unknown, patch: unknown) => {
      this.tries += 1;
      await nextTurn();
      this.#answer();
      this.writes += 1;
      const { metadata, ...rest } = patch as { readonly metadata: object }; // The election makes it in this form.
      this.lease = { ...this.lease, ...rest, metadata: { ...this.lease.metadata, ...metadata, resourceVersion: `${this.writes + 1}` } };
      return this.lease as T; // The only lease.
    },
  };

  renewedByAnother(): void {
    this.writes += 1;
    const metadata = { ...this.lease.metadata, resourceVersion: `${this.writes + 1}` };
    this.lease = { ...this.lease, metadata, spec: { holderIdentity: "another", leaseDurationSeconds: 15 } } as KubeObject; // A Lease has a spec.
  }

  #answer(): void {
    if (this.isDown) throw new KubeError("Unavailable", "the API server is down", { retry: { kind: "backoff" } });
  }
}

describe("a renewal that somebody wants at once", () => {
  let server: LeaseServer;
  let clock: ManualClock;
  let note: string;
  let stop: AbortController;

  const leading = async () => {
    const election = createLeaderElection(server.kube as KubeClient, {
      leases: { namespace: "n", name: "l" },
      identity: "me",
      fieldManager: "f",
      clock,
      logger: recordingLogger(),
      annotations: () => ({ note }),
    });
    const run = election.run(() => new Promise((resolve) => stop.signal.addEventListener("abort", () => resolve())), stop.signal);
    for (let turn = 0; turn < 20 && !election.isLeader; turn += 1) await nextTurn();
    assert.ok(election.isLeader);
    return { election, run };
  };
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  };

  beforeEach(() => {
    server = new LeaseServer();
    clock = new ManualClock();
    note = "";
    stop = new AbortController();
  });

  test("is written, with the annotations of that moment, before the promise resolves", async () => {
    const { election, run } = await leading();
    note = "in hand";

    await election.renewNow();

    assert.deepEqual(server.lease.metadata.annotations, { note: "in hand" });
    stop.abort();
    await run;
  });

  test("is one write for all who want it at the same time", async () => {
    const { election, run } = await leading();
    await election.renewNow();
    const before = server.writes;

    await Promise.all(Array.from({ length: 50 }, () => election.renewNow()));

    assert.ok(server.writes - before <= 2, `${server.writes - before} writes`);
    stop.abort();
    await run;
  });

  test("comes no sooner than any other where the last one failed, and keeps nobody waiting for success", async () => {
    const { election, run } = await leading();
    server.isDown = true;
    await election.renewNow();
    const before = server.tries;

    const wanted = Promise.all(Array.from({ length: 50 }, () => election.renewNow()));
    await turns();
    assert.equal(server.tries, before);
    await clock.advance(2_000);
    await turns();
    await wanted;

    assert.equal(server.tries, before + 1);
    server.isDown = false;
    stop.abort();
    await run;
  });

  test("is nothing for who does not lead", async () => {
    const { election, run } = await leading();
    stop.abort();
    await run;
    const before = server.writes;

    await election.renewNow();

    assert.equal(server.writes, before);
  });
});

describe("a candidate for a lease that another holds", () => {
  let server: LeaseServer;
  let clock: ManualClock;
  let stop: AbortController;

  const waiting = () => {
    const options = { leases: { namespace: "n", name: "l" }, identity: "me", fieldManager: "f", clock, logger: recordingLogger() };
    const election = createLeaderElection(server.kube as KubeClient, options);
    const run = election.run(() => new Promise((resolve) => stop.signal.addEventListener("abort", () => resolve())), stop.signal);
    return { election, run };
  };
  const pass = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed += 1_000) {
      await clock.advance(1_000);
      await nextTurn();
    }
  };

  beforeEach(() => {
    server = new LeaseServer();
    server.renewedByAnother();
    clock = new ManualClock();
    stop = new AbortController();
  });

  // Before the fix, each failed read restarted the wait: after an outage of the API server, no candidate led for the duration of a lease.
  test("takes it as soon as the API server is back, where nobody has renewed it during an outage longer than the lease", async () => {
    const { election, run } = waiting();
    await pass(4_000);
    server.isDown = true;
    await pass(60_000);
    assert.equal(election.isLeader, false);
    server.isDown = false;

    await pass(4_000);

    assert.equal(election.isLeader, true);
    stop.abort();
    await run;
  });

  test("waits for the whole duration where the lease was renewed while it could not read it", async () => {
    const { election, run } = waiting();
    await pass(4_000);
    server.isDown = true;
    await pass(60_000);
    server.renewedByAnother();
    server.isDown = false;

    await pass(14_000);

    assert.equal(election.isLeader, false);
    await pass(6_000);
    assert.equal(election.isLeader, true);
    stop.abort();
    await run;
  });
});
