import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { backoffDelay } from "../../src/runtime/backoff.ts";
import { type Outcome, WorkQueue, type WorkQueueOptions } from "../../src/runtime/workqueue.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

interface Started {
  readonly queue: WorkQueue;
  readonly clock: ManualClock;
  readonly runs: { readonly key: string; readonly at: number }[];
  readonly stop: () => Promise<void>;
}

function start(handle: (key: string, signal: AbortSignal) => Promise<Outcome>, options: Partial<WorkQueueOptions> = {}): Started {
  const clock = new ManualClock();
  const origin = clock.now();
  const runs: { key: string; at: number }[] = [];
  const queue = new WorkQueue({
    handle: (key, signal) => {
      runs.push({ key, at: clock.now() - origin });
      return handle(key, signal);
    },
    workers: 1,
    backoff: { baseMs: 1_000, maxMs: 60_000 },
    clock,
    logger: recordingLogger(),
    random: () => 0.999_999,
    ...options,
  });
  const controller = new AbortController();
  const run = queue.run(controller.signal);
  return {
    queue,
    clock,
    runs,
    stop: async () => {
      controller.abort();
      await run;
    },
  };
}

const done = async (): Promise<Outcome> => ({ kind: "done" });

describe("backoff", () => {
  test("doubles up to its bound, and is never less than half of it", () => {
    const range = { baseMs: 1_000, maxMs: 30_000 };
    assert.deepEqual(
      [1, 2, 3, 5, 6, 1_000].map((failures) => backoffDelay(failures, range, () => 0)),
      [500, 1_000, 2_000, 8_000, 15_000, 15_000],
    );
    assert.equal(
      backoffDelay(2, range, () => 0.5),
      1_500,
    );
  });
});

describe("a work queue", () => {
  test("lets others pass where the handlers behind one backend all wait for the same thing, and takes its keys in their order later", async () => {
    const waits = Promise.withResolvers<Outcome>();
    const ended: string[] = [];
    const handle = async (key: string): Promise<Outcome> => {
      if (key.startsWith("hung/")) await waits.promise;
      ended.push(key);
      return { kind: "done" };
    };
    const sharing = { of: (key: string) => ({ tenant: "team", backend: key.split("/")[0] }), perBackend: 2 };
    const { queue, clock, runs, stop } = start(handle, { workers: 6, sharing });

    for (const key of ["hung/1", "hung/2", "hung/3", "hung/4", "well/1", "hung/5", "well/2", "well/3"]) queue.add(key);
    await clock.advance(0);

    assert.deepEqual(ended, ["well/1", "well/2", "well/3"]);
    assert.equal(queue.depth, 3);
    assert.equal(queue.running, 2);
    waits.resolve({ kind: "done" });
    await clock.advance(0);
    await clock.advance(0);
    assert.deepEqual(
      runs.map(({ key }) => key).filter((key) => key.startsWith("hung/")),
      ["hung/1", "hung/2", "hung/3", "hung/4", "hung/5"],
    );
    assert.equal(queue.depth, 0);
    await stop();
  });

  test("forgets no key whose backend changed while it waited for a place behind it", async () => {
    const waits = Promise.withResolvers<Outcome>();
    let backend: string | undefined = "hung";
    const sharing = { of: () => ({ tenant: "team", backend }), perBackend: 1 };
    const { queue, clock, runs, stop } = start(() => waits.promise, { workers: 9, sharing });
    for (const key of ["1", "2", "3", "4"]) queue.add(key);
    await clock.advance(0);
    assert.equal(runs.length, 1);

    backend = undefined;
    queue.add("3");
    await clock.advance(0);
    assert.deepEqual(
      runs.map(({ key }) => key),
      ["1", "3"],
    );
    waits.resolve({ kind: "done" });
    await clock.advance(0);

    assert.deepEqual(
      runs.map(({ key }) => key),
      ["1", "3", "2", "4"],
    );
    await stop();
  });

  test("gives a tenant alone half of the workers, and takes tenants in turn", async () => {
    const ends: (() => void)[] = [];
    const handle = (): Promise<Outcome> => new Promise((resolve) => ends.push(() => resolve({ kind: "done" })));
    const sharing = { of: (key: string) => ({ tenant: key.split("/")[0] ?? "", backend: undefined }), perBackend: 9 };
    const { queue, clock, runs, stop } = start(handle, { workers: 8, sharing });
    for (let index = 0; index < 9; index++) queue.add(`big/${index}`);
    await clock.advance(0);
    assert.equal(queue.running, 4);

    for (const key of ["a/1", "a/2", "a/3", "b/1", "b/2", "c/1"]) queue.add(key);
    await clock.advance(0);
    assert.deepEqual(
      runs.slice(4).map(({ key }) => key),
      ["a/1", "b/1", "c/1"],
    );
    for (const end of ends.splice(0)) end();
    await clock.advance(0);
    assert.deepEqual(
      runs.slice(7, 10).map(({ key }) => key.split("/")[0]),
      ["big", "a", "b"],
    );
    for (let turn = 0; turn < 9; turn++) {
      for (const end of ends.splice(0)) end();
      await clock.advance(0);
    }
    assert.equal(runs.length, 15);
    await stop();
  });

  test("runs a key once however often it was added before", async () => {
    const { queue, clock, runs, stop } = start(done);
    for (let i = 0; i < 5; i++) queue.add("a");
    await clock.advance(0);
    assert.equal(runs.length, 1);
    await stop();
  });

  test("runs a key again that was added while it ran", async () => {
    const gate = Promise.withResolvers<Outcome>();
    const { queue, clock, runs, stop } = start(() => gate.promise, { workers: 4 });
    queue.add("a");
    await clock.advance(0);
    queue.add("a");
    await clock.advance(0);
    assert.equal(runs.length, 1);
    gate.resolve({ kind: "done" });
    await clock.advance(0);
    assert.equal(runs.length, 2);
    await stop();
  });

  test("takes the earliest of several times", async () => {
    const { queue, clock, runs, stop } = start(done);
    queue.addAfter("a", 5_000);
    queue.addAfter("a", 1_000);
    queue.addAfter("a", 9_000);
    await clock.advance(20_000);
    assert.deepEqual(runs, [{ key: "a", at: 1_000 }]);
    await stop();
  });

  test("lets a failing key wait longer each time, and the others go on", async () => {
    const { queue, clock, runs, stop } = start(async (key) => (key === "bad" ? { kind: "retry" } : { kind: "done" }));
    queue.add("bad");
    queue.add("good");
    await clock.advance(8_000);
    assert.deepEqual(
      runs.filter(({ key }) => key === "bad").map(({ at }) => at),
      [0, 1_000, 3_000, 7_000],
    );
    assert.equal(runs.filter(({ key }) => key === "good").length, 1);
    await stop();
  });

  test("starts the backoff anew after a success", async () => {
    const outcomes: Outcome[] = [
      { kind: "retry" },
      { kind: "retry" },
      { kind: "requeueAfter", milliseconds: 100 },
      { kind: "retry" },
      { kind: "done" },
    ];
    const { queue, clock, runs, stop } = start(async () => outcomes.shift() ?? { kind: "done" });
    queue.add("a");
    await clock.advance(60_000);
    assert.deepEqual(
      runs.map(({ at }) => at),
      [0, 1_000, 3_000, 3_100, 4_100],
    );
    await stop();
  });

  test("does what a thrown error's retry says", async () => {
    const errors: Readonly<Record<string, Error>> = {
      after: new KubeError("Throttled", "slow down", { retry: { kind: "after", milliseconds: 7_000 } }),
      never: new KubeError("Invalid", "no", { retry: { kind: "never" } }),
      bug: new TypeError("oops"),
    };
    const { queue, clock, runs, stop } = start(async (key) => {
      throw errors[key] ?? new Error("unexpected key");
    });
    for (const key of Object.keys(errors)) queue.add(key);
    await clock.advance(7_000);
    const times = (key: string): number[] => runs.filter((run) => run.key === key).map(({ at }) => at);
    assert.deepEqual(times("after"), [0, 7_000]);
    assert.deepEqual(times("never"), [0]);
    assert.deepEqual(times("bug"), [0, 1_000, 3_000, 7_000]);
    await stop();
  });

  test("waits for running handlers when it is stopped, and starts no other", async () => {
    const gate = Promise.withResolvers<Outcome>();
    const signals: AbortSignal[] = [];
    const { queue, clock, runs, stop } = start((_, signal) => {
      signals.push(signal);
      return gate.promise;
    });
    queue.add("a");
    queue.add("b");
    await clock.advance(0);
    let isStopped = false;
    const stopped = stop().then(() => (isStopped = true));
    await clock.advance(0);
    assert.equal(signals[0]?.aborted, true);
    assert.equal(isStopped, false);
    gate.resolve({ kind: "done" });
    await stopped;
    assert.deepEqual(
      runs.map(({ key }) => key),
      ["a"],
    );
  });

  test("tells how much waits and for how long", async () => {
    const gate = Promise.withResolvers<Outcome>();
    const waits: number[] = [];
    const ends: string[] = [];
    const observer = {
      onStarted: (ms: number) => void waits.push(ms),
      onEnded: (kind: string, ms: number) => void ends.push(`${kind} ${ms}`),
    };
    const { queue, clock, stop } = start(() => gate.promise, { observer });
    queue.add("a");
    await clock.advance(0);
    queue.add("b");
    queue.addAfter("c", 60_000);
    await clock.advance(500);
    assert.deepEqual([queue.running, queue.depth, queue.delayed, queue.oldestWaitMs], [1, 1, 1, 500]);
    gate.resolve({ kind: "done" });
    await clock.advance(0);
    assert.deepEqual([queue.running, queue.depth, queue.oldestWaitMs], [0, 0, 0]);
    assert.deepEqual(waits, [0, 500]);
    assert.deepEqual(ends, ["done 500", "done 0"]);
    await stop();
  });

  test("forgets the delayed runs and the failures of a key", async () => {
    const { queue, clock, runs, stop } = start(async () => ({ kind: "retry" }));
    queue.add("a");
    await clock.advance(0);
    queue.forget("a");
    await clock.advance(60_000);
    assert.equal(runs.length, 1);
    assert.equal(queue.delayed, 0);
    await stop();
  });
});
