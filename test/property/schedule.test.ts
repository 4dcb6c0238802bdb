import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { untilNextPoll } from "../../src/domain/schedule/phase.ts";

const INTERVAL = 120_000;

describe("the schedule", () => {
  test("polls every class exactly once an interval, whenever it is asked", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 10_000, max: 86_400_000 }), fc.integer({ min: 0, max: 2 ** 43 }), (key, interval, now) => {
        const wait = untilNextPoll({ cluster: "c", key, interval, now });
        const next = untilNextPoll({ cluster: "c", key, interval, now: now + wait });

        assert.ok(wait >= 1 && wait <= interval, `${wait} of ${interval}`);
        // The waits are whole milliseconds, but phases are not: rounding can make a difference of one.
        assert.ok(Math.abs(next - interval) <= 1, `${next} of ${interval}`);
      }),
      { numRuns: 500 },
    );
  });

  test("spreads a thousand similar names evenly", () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let index = 0; index < 1_000; index += 1) {
      const wait = untilNextPoll({ cluster: "c", key: `team-${index % 7}/class-${index}`, interval: INTERVAL, now: 0 });
      const tenth = Math.min(9, Math.floor((wait / INTERVAL) * 10));
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }

    // 100 on average, plus or minus 4 standard deviations.
    assert.ok(
      tenths.every((count) => count > 60 && count < 140),
      tenths.join(),
    );
  });

  test("differs between clusters with the same classes", () => {
    const wait = (cluster: string) => untilNextPoll({ cluster, key: "team/class", interval: INTERVAL, now: 0 });

    assert.notEqual(wait("one"), wait("two"));
  });
});
