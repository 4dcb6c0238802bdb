import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { agingPod, hasOldPod } from "../../src/domain/rollout/pod-age.ts";
import { isRestarted, settledStamp } from "../../src/domain/rollout/stamp.ts";
import { proofOf, provingMs, type StartedPod, startedPod, steadinessOf } from "../../src/domain/rollout/steadiness.ts";
import { proveRestart } from "../../src/sync/rollouts/prove-restart.ts";
import { RolloutMemory } from "../../src/sync/rollouts/rollout-memory.ts";
import { refusal, SimulatedCluster } from "../support/simulation/cluster.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { NEW, OLD, READY, stamped } from "../support/worker/observed-workload.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

interface PodFacts {
  readonly stamp?: string;
  /** Undefined: the pod is not ready. */
  readonly readySince?: string;
  readonly restarts?: readonly number[];
  readonly metadata?: object;
}

function pod({ stamp = NEW, readySince, restarts = [0], metadata = {} }: PodFacts): StartedPod {
  const ready = readySince === undefined ? { status: "False" } : { status: "True", lastTransitionTime: readySince };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", annotations: { [POD_ANNOTATIONS.rotated]: stamp }, ...metadata },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", ...ready }],
      containerStatuses: restarts.map((restartCount) => ({ restartCount })),
    },
  };
}

const FIRST = "2026-01-01T00:00:00Z";
const LATER = "2026-01-01T00:00:30Z";

describe("pods are steady", () => {
  test("since the last of them became ready, by the container that restarted most often", () => {
    const pods = [pod({ readySince: FIRST, restarts: [0, 3] }), pod({ readySince: LATER })];

    assert.deepEqual(steadinessOf(pods, NEW), { since: Date.parse(LATER), restarts: 3 });
  });

  test("not while one of them is not ready", () => {
    assert.deepEqual(steadinessOf([pod({ readySince: FIRST }), pod({})], NEW), { since: undefined, restarts: 0 });
    assert.deepEqual(steadinessOf([pod({ readySince: FIRST }), pod({ restarts: [4] })], NEW), { since: undefined, restarts: 4 });
  });

  test("whatever becomes of pods that are going, have ended, or are of another template", () => {
    const others = [
      pod({ stamp: OLD, restarts: [9] }),
      pod({ metadata: { deletionTimestamp: FIRST } }),
      { ...pod({}), status: { phase: "Failed" } },
    ];

    assert.deepEqual(steadinessOf([...others, pod({ readySince: FIRST })], NEW), { since: Date.parse(FIRST), restarts: 0 });
    assert.deepEqual(steadinessOf([], NEW), { since: 0, restarts: 0 });
  });
});

describe("what is kept of a pod", () => {
  const large = { spec: { containers: [{ args: ["x".repeat(1_000)] }] }, metadata: { annotations: { note: "x".repeat(1_000) } } };

  test("says as much about the pods of a restart as all of it, and is small", () => {
    const pods = [
      pod({ readySince: FIRST, restarts: [0, 3] }),
      pod({ readySince: LATER }),
      pod({ stamp: OLD }),
      pod({ metadata: { deletionTimestamp: FIRST } }),
      { ...pod({}), status: { phase: "Failed" } },
      { ...pod({}), ...large, metadata: { name: "other", ...large.metadata } },
    ];
    const made = pods.map((each, index) => ({
      ...each,
      metadata: { ...each.metadata, creationTimestamp: index % 2 === 0 ? FIRST : LATER },
    }));

    assert.deepEqual(steadinessOf(made.map(startedPod), NEW), steadinessOf(made, NEW));
    for (const each of made) {
      assert.equal(hasOldPod([agingPod(each)], Date.parse(FIRST)), hasOldPod([each], Date.parse(FIRST)));
      assert.ok(JSON.stringify([agingPod(each), startedPod(each)]).length < 1_000);
    }
    assert.equal(hasOldPod(pods.map(agingPod), 0), hasOldPod(pods, 0));
  });
});

describe("a restart proves itself", () => {
  test("in 10 seconds, twice as long for each restart of a container, and in half of its time at most", () => {
    assert.equal(provingMs(0, 600_000), 10_000);
    assert.equal(provingMs(2, 600_000), 40_000);
    assert.equal(provingMs(50, 600_000), 300_000);
    assert.equal(provingMs(0, 4_000), 2_000);
    assert.equal(provingMs(1, 4_000), 2_000);
  });

  test("by what its pods say, and fails where they crash for as long as it may take", () => {
    const proof = (readyFor: number | undefined, restarts: number, isStalled = false) => {
      const steadiness = { since: readyFor === undefined ? undefined : 1_000_000 - readyFor, restarts };
      return proofOf({ steadiness, now: 1_000_000, timeoutMs: 600_000, isStalled });
    };

    assert.deepEqual(proof(10_000, 0), { kind: "done" });
    assert.deepEqual(proof(4_000, 0), { kind: "open", restarts: 0, required: 10_000, left: 6_000 });
    assert.deepEqual(proof(30_000, 2), { kind: "open", restarts: 2, required: 40_000, left: 10_000 });
    assert.equal(proof(undefined, 0).kind, "open");
    assert.deepEqual(proof(30_000, 2, true), { kind: "failed", restarts: 2, left: 10_000 });
    assert.deepEqual(proof(1_000, 0, true), { kind: "done" }, "an autoscaler adds pods all the time");
  });

  test("U3: not by a pod that has just crashed once more, when the time is up and its workload's status still calls it available", () => {
    const steadiness = steadinessOf([pod({ restarts: [3] })], NEW);
    const input = { now: 1_000_000, timeoutMs: 600_000 };

    assert.equal(proofOf({ ...input, steadiness, isStalled: true }).kind, "failed");
    assert.equal(proofOf({ ...input, steadiness, isStalled: false }).kind, "open");
  });

  test("once: then its workload has another stamp than its template, for the same versions", () => {
    const templateStamp = NEW;
    assert.ok(isRestarted({ templateStamp, podsStamp: NEW }));
    assert.ok(!isRestarted({ templateStamp, podsStamp: settledStamp(templateStamp) }));
    assert.equal(settledStamp(settledStamp(NEW)), NEW);
  });
});

describe("a rollout stands still", () => {
  const at = (availableReplicas: number, more: object = {}) => stamped(NEW, { status: { ...READY, availableReplicas, ...more } });

  test("while its pods only come and go", () => {
    const memory = new RolloutMemory();
    assert.equal(memory.stalledFor(at(0), 0), 0);
    assert.equal(memory.stalledFor(at(1), 1_000), 0, "a step forward");
    assert.equal(memory.stalledFor(at(0), 2_000), 1_000);
    assert.equal(memory.stalledFor(at(1), 3_000), 2_000, "it was here before");
  });

  test("no more once another pod is replaced, or the workload is changed", () => {
    const memory = new RolloutMemory();
    const rolling = { replicas: 3, updatedReplicas: 1 };
    memory.stalledFor(at(3, rolling), 0);
    assert.equal(memory.stalledFor(at(3, rolling), 5_000), 5_000);
    assert.equal(memory.stalledFor(at(3, { ...rolling, updatedReplicas: 2 }), 6_000), 0);
    assert.equal(memory.stalledFor(stamped(NEW, { generation: 3 }), 9_000), 0);
  });
});

describe("a restart is proven by the worker's own clock", () => {
  const NOW = Date.parse(FIRST) + 60_000;
  const signal = new AbortController().signal;

  /**
   * Returns a function that reconciles a restarted workload with these pods. It returns the outcome, and the number of seconds until
   * the restart counts as proven.
   */
  function observing() {
    const memory = new RolloutMemory();
    const clock = new ManualClock();
    const { client } = new SimulatedCluster(clock);
    const logger = recordingLogger();
    return async (pods: readonly StartedPod[], now: number): Promise<string> => {
      const list = async (): Promise<readonly never[]> => {
        await Promise.resolve();
        return pods as readonly never[]; // The code requests only this list.
      };
      const refuse = async (): Promise<never> => {
        await Promise.resolve();
        throw refusal("Forbidden", 403);
      };
      const kube = { ...client, list, mergePatch: refuse };
      const standing = await proveRestart({ kube, memory, clock, logger, isDryRun: false, now, timeoutMs: 600_000 }, stamped(NEW), signal);
      return standing.kind === "restarting" ? `${standing.kind} ${(standing.provenIn ?? 0) / 1_000}` : standing.kind;
    };
  }
  const ready = (at: number, restarts = 0) => pod({ readySince: new Date(at).toISOString(), restarts: [restarts] });

  for (const behind of [0, 11_000, 60_000])
    test(`from when it first sees the pods ready, also where their node's clock is ${behind / 1_000} s behind`, async () => {
      const observe = observing();
      const pods = [ready(NOW - behind)];

      assert.equal(await observe([pod({})], NOW - 1_000), "restarting 10");
      assert.equal(await observe(pods, NOW), "restarting 10");
      assert.equal(await observe(pods, NOW + 4_000), "restarting 6");
      assert.equal(await observe(pods, NOW + 10_000), "current");
    });

  test("and not later where their node's clock is ahead", async () => {
    const observe = observing();
    const pods = [ready(NOW + 60_000)];

    await observe(pods, NOW);
    assert.equal(await observe(pods, NOW + 10_000), "current");
  });

  test("anew for each pod that becomes ready, and each restart of a container", async () => {
    const observe = observing();
    const behind = 60_000;
    await observe([ready(NOW - behind)], NOW);
    assert.equal(await observe([ready(NOW - behind), ready(NOW + 5_000 - behind)], NOW + 5_000), "restarting 10");
    assert.equal(await observe([ready(NOW - behind), ready(NOW + 9_000 - behind, 1)], NOW + 9_000), "restarting 20");
  });

  test("at once where there are no pods", async () => {
    assert.equal(await observing()([], NOW), "current");
  });
});
