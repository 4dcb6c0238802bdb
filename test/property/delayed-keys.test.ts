import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { DelayedKeys } from "../../src/runtime/delayed-keys.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

/** More than the number of outdated times that the code keeps, so that it also drops them. */
const ADDS = 5_000;

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("add" as const), key: fc.nat(40), milliseconds: fc.integer({ min: 1, max: 900 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), key: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("advance" as const), milliseconds: fc.integer({ min: 1, max: 300 }) }) },
);

describe("delayed keys", () => {
  test("come due when a plain map of times says so, each once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
        const { clock, keys, due, stop } = start();
        const model = new Map<string, number>();
        for (const each of steps) {
          if (each.kind === "advance") {
            due.length = 0;
            await clock.advance(each.milliseconds);
            const expected = [...model].filter(([, at]) => at <= clock.now());
            for (const [key] of expected) model.delete(key);
            assert.deepEqual(new Set(due), new Set(expected.map(([key]) => key)));
            assert.equal(due.length, expected.length, "each once");
          } else if (each.kind === "delete") {
            keys.delete(`${each.key}`);
            model.delete(`${each.key}`);
          } else {
            keys.add(`${each.key}`, each.milliseconds);
            model.set(`${each.key}`, Math.min(clock.now() + each.milliseconds, model.get(`${each.key}`) ?? Number.POSITIVE_INFINITY));
          }
          assert.equal(keys.size, model.size);
        }
        await stop();
      }),
    );
  });

  test("hand over once, at the earliest, a key that was moved more often than times are kept", async () => {
    const { clock, keys, due, stop } = start();
    for (let index = 0; index < ADDS; index += 1) keys.add("moved", ADDS - index);
    keys.add("other", 2);
    await clock.advance(2);
    assert.deepEqual(due, ["moved", "other"]);
    await stop();
  });
});

function start() {
  const clock = new ManualClock();
  const due: string[] = [];
  const keys = new DelayedKeys(clock, (key) => due.push(key));
  const ended = new AbortController();
  const running = keys.run(ended.signal);
  const stop = async (): Promise<void> => {
    ended.abort();
    await running;
  };
  return { clock, keys, due, stop };
}
