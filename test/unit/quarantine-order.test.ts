import assert from "node:assert/strict";
import { test } from "node:test";
import { LEASE_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { refOfKey } from "../../src/domain/object-key.ts";
import { writeLeaving } from "../../src/domain/sync/in-hand.ts";
import { WorkQueue } from "../../src/runtime/workqueue.ts";
import { Quarantine } from "../../src/sync/quarantine.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

test("C-5: suspects wait until nobody else is due, however many suspects there are", async () => {
  const clock = new ManualClock();
  const logger = recordingLogger();
  const suspects = ["team/one", "team/three", "team/two"];
  const quarantine = new Quarantine({ version: "1", clock, logger, store: async () => undefined });
  const classes = new Map(suspects.map((key) => [key, { form: "f", deaths: 0, isInHand: true }]));
  quarantine.begin([{ [LEASE_ANNOTATIONS.inHand]: writeLeaving({ version: "1", isLeading: true, classes }) }]);
  const order: string[] = [];
  const stop = new AbortController();
  const queue = new WorkQueue({
    workers: 4,
    sharing: { of: (key) => ({ tenant: refOfKey(key).namespace, backend: undefined }), perBackend: 4 },
    backoff: { baseMs: 1_000, maxMs: 1_000 },
    clock,
    logger,
    random: () => 0,
    handle: async (classKey) => {
      const pause = quarantine.admit(classKey, (waiting) => queue.isDueBesides(waiting));
      if (pause > 0) return { kind: "requeueAfter", milliseconds: pause };
      order.push(classKey);
      await clock.sleep(90, stop.signal);
      quarantine.end(classKey);
      return { kind: "done" };
    },
  });
  const others = Array.from({ length: 8 }, (_, index) => `other/c${index}`);
  for (const key of [...suspects, ...others]) queue.add(key);

  const running = queue.run(stop.signal);
  for (let turn = 0; turn < 200; turn += 1) await clock.advance(10);
  stop.abort();
  await running;

  assert.deepEqual(order.slice(0, others.length), others);
  assert.deepEqual(order.slice(others.length).toSorted(), suspects);
});

test("Q1: a suspect that has nothing to be mirrored keeps no worse one waiting", () => {
  const quarantine = new Quarantine({ version: "1", clock: new ManualClock(), logger: recordingLogger(), store: async () => undefined });
  const classes = new Map([
    ["team/bomb", { form: "f", deaths: 1, isInHand: true }],
    ["team/synced", { form: "f", deaths: 0, isInHand: true }],
  ]);
  quarantine.begin([{ [LEASE_ANNOTATIONS.inHand]: writeLeaving({ version: "1", isLeading: true, classes }) }]);
  const admit = (key: string): number => quarantine.admit(key, () => false);

  assert.ok(admit("team/bomb") > 0, "the control: the other one comes first");
  assert.equal(admit("team/synced"), 0);
  quarantine.end("team/synced");

  assert.equal(admit("team/bomb"), 0);
});

test("SH-4: the classes that workers of other shards died with are suspects of who serves them now, and of nobody else", () => {
  const logger = recordingLogger();
  const quarantine = new Quarantine({ version: "1", clock: new ManualClock(), logger, store: async () => undefined });
  const leaving = (key: string, deaths: number) => ({
    [LEASE_ANNOTATIONS.inHand]: writeLeaving({
      version: "1",
      isLeading: true,
      classes: new Map([[key, { form: "f", deaths, isInHand: true }]]),
    }),
  });
  quarantine.begin([{}, leaving("team/bomb", 2), leaving("team/bomb", 0), leaving("elsewhere/bomb", 2)], (key) => key.startsWith("team/"));

  const { [LEASE_ANNOTATIONS.inHand]: text = "" } = quarantine.annotations();
  const { classes = {} } = JSON.parse(text) as { readonly classes?: Readonly<Record<string, { readonly deaths: number }>> };
  assert.deepEqual(
    Object.entries(classes).map(([key, { deaths }]) => [key, deaths]),
    [["team/bomb", 3]],
  );
});
