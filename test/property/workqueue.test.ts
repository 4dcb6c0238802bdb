import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { type Outcome, WorkQueue } from "../../src/runtime/workqueue.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const KEYS = ["a", "b", "c", "d"] as const;
const WORKERS = 2;
const BACKOFF = { baseMs: 1_000, maxMs: 8_000 };

type Command =
  | { readonly kind: "add"; readonly key: string }
  | { readonly kind: "addAfter"; readonly key: string; readonly milliseconds: number }
  | { readonly kind: "end"; readonly index: number; readonly outcome: Outcome }
  | { readonly kind: "advance"; readonly milliseconds: number };

const key = fc.constantFrom(...KEYS);
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ kind: "done" }),
  fc.constant<Outcome>({ kind: "retry" }),
  fc.constant<Outcome>({ kind: "terminal" }),
  fc.record({ kind: fc.constant("requeueAfter" as const), milliseconds: fc.integer({ min: 0, max: 5_000 }) }),
);
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), key }),
  fc.record({ kind: fc.constant("addAfter" as const), key, milliseconds: fc.integer({ min: 1, max: 5_000 }) }),
  fc.record({ kind: fc.constant("end" as const), index: fc.nat(WORKERS - 1), outcome }),
  fc.record({ kind: fc.constant("advance" as const), milliseconds: fc.integer({ min: 1, max: 3_000 }) }),
);

interface Run {
  readonly key: string;
  readonly end: (outcome: Outcome) => void;
}

/** A queue whose handlers end when the test ends them, and a model of the keys that the queue must still start. */
class Bench {
  readonly clock = new ManualClock();
  readonly running: Run[] = [];
  /** Keys that the queue must start again, because they were added (immediately or with a delay) since their last start. */
  readonly owed = new Set<string>();
  readonly failedAt = new Map<string, number>();
  readonly queue: WorkQueue;

  constructor() {
    this.queue = new WorkQueue({
      handle: (started) => this.#handle(started),
      workers: WORKERS,
      backoff: BACKOFF,
      clock: this.clock,
      logger: recordingLogger(),
      random: () => 0,
    });
  }

  #handle(started: string): Promise<Outcome> {
    assert.ok(!this.running.some((run) => run.key === started), `${started} runs twice at a time`);
    assert.ok(this.running.length < WORKERS, "more runs than workers");
    const failedAt = this.failedAt.get(started);
    if (failedAt !== undefined) assert.ok(this.clock.now() - failedAt >= BACKOFF.baseMs / 2, `${started} came back without backoff`);
    this.owed.delete(started);
    return new Promise((resolve) => {
      this.running.push({ key: started, end: resolve });
    });
  }

  owe(owedKey: string): void {
    this.failedAt.delete(owedKey);
    this.owed.add(owedKey);
  }

  async perform(step: Command): Promise<void> {
    if (step.kind === "add") {
      this.owe(step.key);
      this.queue.add(step.key);
    } else if (step.kind === "addAfter") {
      this.owe(step.key);
      this.queue.addAfter(step.key, step.milliseconds);
    } else if (step.kind === "end") {
      this.end(step.index, step.outcome);
    } else {
      await this.clock.advance(step.milliseconds);
      return;
    }
    await this.clock.advance(0);
  }

  end(index: number, how: Outcome): void {
    const [run] = this.running.splice(index, 1);
    if (run === undefined) return;
    if (how.kind === "retry" && !this.owed.has(run.key) && this.queue.delayed === 0) this.failedAt.set(run.key, this.clock.now());
    else this.failedAt.delete(run.key);
    if (how.kind === "retry" || how.kind === "requeueAfter") this.owed.add(run.key);
    run.end(how);
  }

  /** Ends every handler successfully until no work is left. */
  async settle(): Promise<void> {
    for (let idle = 0, turns = 0; idle < 3; turns++) {
      assert.ok(turns < 100, "the queue never comes to rest");
      await this.clock.advance(10_000);
      idle = this.running.length === 0 && this.queue.depth === 0 && this.queue.delayed === 0 ? idle + 1 : 0;
      while (this.running.length > 0) this.end(0, { kind: "done" });
    }
  }
}

const SLOTS = 64;
const HUNG_MS = 30_000;

interface Hostile {
  /** Number of keys of each tenant for each backend. */
  readonly keys: readonly (readonly number[])[];
  /** Index of the backend that the victim waits for. One past the last index: the victim has its own backend. */
  readonly victimsBackend: number;
  readonly lateMs: number;
}

const BACKENDS = 5;
const hostile = (most: number): fc.Arbitrary<Hostile> =>
  fc.record({
    keys: fc.array(fc.array(fc.nat(40), { minLength: BACKENDS, maxLength: BACKENDS }), { minLength: 1, maxLength: most }),
    victimsBackend: fc.nat(BACKENDS),
    lateMs: fc.integer({ min: 1, max: 2 * HUNG_MS }),
  });

/** Returns how long a key of another tenant waits while the keys of the hostile tenants hang and return to the queue at once. */
async function victimsWait({ keys, victimsBackend, lateMs }: Hostile): Promise<number> {
  const clock = new ManualClock();
  let startedAt = Number.POSITIVE_INFINITY;
  const queue = new WorkQueue({
    handle: async (key, signal) => {
      if (key === `victim/${victimsBackend}`) startedAt = clock.now();
      else await clock.sleep(HUNG_MS, signal);
      return key.startsWith("victim") ? { kind: "done" } : { kind: "requeueAfter", milliseconds: 1 };
    },
    workers: SLOTS,
    sharing: {
      of: (key) => ({ tenant: key.split("/")[0] ?? "", backend: key.split("/")[1] }),
      perBackend: 8,
    },
    backoff: BACKOFF,
    clock,
    logger: recordingLogger(),
    random: () => 0,
  });
  keys.forEach((ofTenant, tenant) => {
    ofTenant.forEach((count, backend) => {
      for (let index = 0; index < count; index++) queue.add(`hostile-${tenant}/${backend}/${index}`);
    });
  });
  const stop = new AbortController();
  const run = queue.run(stop.signal);
  await clock.advance(lateMs);
  const added = clock.now();
  queue.add(`victim/${victimsBackend}`);
  await clock.advance(3 * HUNG_MS);
  stop.abort();
  await run;
  return startedAt - added;
}

describe("a work queue that tenants share, whoever hangs on whatever,", () => {
  test("starts a newcomer's key at once while six tenants or fewer hang", async () => {
    await fc.assert(
      fc.asyncProperty(hostile(6), async (tenants) => assert.equal(await victimsWait({ ...tenants, victimsBackend: BACKENDS }), 0)),
      { numRuns: 60 },
    );
  });

  test("starts a newcomer's key within one such wait, however many tenants hang, on its own backend too", async () => {
    await fc.assert(
      fc.asyncProperty(hostile(80), async (tenants) => {
        const waited = await victimsWait(tenants);
        assert.ok(waited <= HUNG_MS, `${waited} ms`);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a work queue, whatever is done to it,", () => {
  test("never runs a key twice at a time, loses no add, and lets a failed key wait", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
        const bench = new Bench();
        const stop = new AbortController();
        const run = bench.queue.run(stop.signal);

        for (const step of commands) await bench.perform(step);
        await bench.settle();

        assert.deepEqual([...bench.owed], [], "keys that were added and never ran again");
        stop.abort();
        await run;
      }),
      { numRuns: 300 },
    );
  });
});
