import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { fullBucket, takeTurns } from "../../src/domain/schedule/token-bucket.ts";
import { admit, answeredPressure, noPressure, rateOf, throttled, type VaultPressure } from "../../src/domain/schedule/vault-pressure.ts";

const START = 1_700_000_000_000;

/** Returns the highest number of events within any `span` milliseconds. */
function most(times: readonly number[], span: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let first = 0;
  let found = 0;
  for (const [index, time] of sorted.entries()) {
    while (time - (sorted[first] ?? time) >= span) first += 1;
    found = Math.max(found, index - first + 1);
  }
  return found;
}

describe("a token bucket", () => {
  test("lets through at most its burst and its rate in any span, whenever it is asked", () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 100 }), gaps, (perSecond, burst, waits) => {
        const limits = { perSecond, burst };
        let bucket = fullBucket(limits, START);
        let now = START;
        const turns: number[] = [];
        for (const wait of waits) {
          now += wait;
          const turn = takeTurns(bucket, limits, { now, turns: 1 });
          bucket = turn.bucket;
          turns.push(now + turn.waitMs);
        }
        for (const span of [100, 1_000, 10_000]) {
          // One more at the edge: both ends of a span may coincide with a turn.
          assert.ok(most(turns, span) <= burst + (span / 1_000) * perSecond + 1, `${most(turns, span)} in ${span} ms`);
        }
        assert.deepEqual(
          turns,
          [...turns].sort((a, b) => a - b),
          "who asks first goes first",
        );
      }),
      { numRuns: 200 },
    );
  });

  test("neither refills nor stands still for ever when the clock is set back", () => {
    const limits = { perSecond: 10, burst: 1 };
    const { bucket } = takeTurns(fullBucket(limits, START), limits, { now: START, turns: 1 });

    const back = takeTurns(bucket, limits, { now: START - 86_400_000, turns: 1 });

    assert.equal(back.waitMs, 100);
  });
});

interface Asking {
  readonly from?: number;
  readonly steps: number;
  readonly step: number;
  readonly isKey: boolean;
}

describe("the pressure on a vault", () => {
  /** Returns the times (milliseconds) of the admitted requests, with one attempt every `step` milliseconds. */
  function admittedIn(pressure: VaultPressure, { from = START, steps, step, isKey }: Asking): readonly number[] {
    const times: number[] = [];
    let current = pressure;
    for (let index = 0; index < steps; index += 1) {
      const now = from + index * step;
      const admission = admit(current, { now, isKey });
      if (admission.kind === "refused") continue;
      current = admission.pressure;
      times.push(now + admission.waitMs);
    }
    return times;
  }

  test("stays below what a vault takes in any 10 seconds: 4,000 requests, 250 keys", () => {
    const all = admittedIn(noPressure(), { steps: 12_000, step: 1, isKey: false });
    const keys = admittedIn(noPressure(), { steps: 1_000, step: 10, isKey: true });

    assert.ok(most(all, 10_000) <= 3_501, String(most(all, 10_000)));
    assert.ok(most(keys, 10_000) <= 241, String(most(keys, 10_000)));
    // The control: there are more attempts than admitted requests.
    assert.ok(all.length > 4_000 && keys.length > 250);
  });

  test("stays below it also where the vault counts, which each request reaches up to half a second later", () => {
    const firstLate = fc.integer({ min: 1, max: 600 });
    fc.assert(
      fc.property(firstLate, fc.integer({ min: 0, max: 500 }), fc.boolean(), (count, lateMs, isKey) => {
        const times = admittedIn(noPressure(), { steps: isKey ? 1_500 : 15_000, step: isKey ? 10 : 1, isKey });
        const found = most(
          times.map((at, index) => (index < count ? at + lateMs : at)).sort((one, other) => one - other),
          10_000,
        );
        assert.ok(found <= (isKey ? 250 : 4_000), `${found} in 10 s`);
      }),
      { numRuns: 100 },
    );
  });

  test("stays below it whoever leads: a leader that takes over knows not what the one before it has asked", () => {
    const handOvers = fc.array(fc.integer({ min: 200, max: 6_000 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(handOvers, fc.boolean(), (terms, isKey) => {
        const step = isKey ? 10 : 1;
        const times: number[] = [];
        let from = START;
        for (const term of [...terms, 10_000]) {
          times.push(...admittedIn(noPressure(from), { from, steps: term / step, step, isKey }).filter((at) => at < from + term));
          from += term;
        }
        const found = most(times, 10_000);
        assert.ok(found <= (isKey ? 241 : 3_501), `${found} in 10 s`);
      }),
      { numRuns: 50 },
    );
  });

  test("is back at full rate after any series of throttling and answers, and never below a sixteenth", () => {
    const events = fc.array(fc.record({ wait: fc.integer({ min: 0, max: 60_000 }), isThrottled: fc.boolean() }), { maxLength: 60 });
    fc.assert(
      fc.property(events, (series) => {
        let pressure = noPressure();
        let now = START;
        for (const { wait, isThrottled } of series) {
          now += wait;
          pressure = isThrottled ? throttled(pressure, now, undefined) : answeredPressure(pressure, now);
          assert.ok(rateOf(pressure) >= 300 / 16);
          assert.ok(pressure.pausedUntil - now <= 16_000);
        }
        for (let round = 0; round < 5; round += 1) {
          now += 30_000;
          pressure = answeredPressure(pressure, now);
        }
        assert.equal(rateOf(pressure), 300);
      }),
      { numRuns: 200 },
    );
  });
});
