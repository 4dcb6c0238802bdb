import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { derive, type Measured, quantiles, type Rotation, waitsFromVersion } from "../load/rotation/measured.ts";
import { compared, describe as describeMeasured, targets } from "../load/rotation/report.ts";
import { readSettings } from "../load/rotation/settings.ts";

const WATCHED_MS = 200_000;

function rotation(facts: Partial<Rotation>): Rotation {
  return { madeAt: 0, queuedAt: undefined, writtenAt: undefined, dueAt: undefined, gets: 1, ...facts };
}

function measured(contestant: string, rotations: readonly Rotation[], watchedMs = WATCHED_MS): Measured {
  const requests = { atRestPerMinute: 10, perRotation: 1 };
  const cpu = { atRest: 1, whileRotating: 1, othersCores: 0 };
  return { contestant, secrets: 100, rotations, watchedMs, vault: requests, queue: requests, cpu, notes: [] };
}

/**
 * One of a hundred rotations takes five seconds from the queue to its Secret, the others half a second. Each event takes 100 ms to
 * the queue.
 */
const PUSH = measured(
  "with push",
  Array.from({ length: 100 }, (_, index) => rotation({ queuedAt: 100, writtenAt: index === 99 ? 5_100 : 600 })),
);

describe("quantiles of waits of which some have not ended", () => {
  test("are the waits' own where all have", () => {
    const waits = Array.from({ length: 1_000 }, (_, index) => 1_000 - index);
    assert.deepEqual(quantiles(waits, { of: 1_000, watchedMs: 0 }), { p50: 501, p99: 991, max: 1_000 });
  });

  test("are unknown where they lie among those that have not", () => {
    assert.deepEqual(quantiles([1, 2, 3], { of: 4, watchedMs: WATCHED_MS }), { p50: 3, p99: undefined, max: undefined });
  });

  test("are unknown beyond what every one was watched for: a shorter wait may be among those that have not", () => {
    assert.equal(quantiles([1, 2, WATCHED_MS + 1], { of: 4, watchedMs: WATCHED_MS }).p50, undefined);
  });
});

describe("what is derived of rotations that did not arrive", () => {
  test("is their own next refresh, and how much later those came that did arrive", () => {
    const arrived = [100, 200, 300].map((late) => rotation({ dueAt: 1_000, writtenAt: 1_000 + late }));
    const found = derive([...arrived, rotation({ dueAt: 3_600_000 })]);
    assert.deepEqual(found, { waits: { p50: 1_300, p99: 3_600_200, max: 3_600_200 }, derived: 1, lateMs: 200 });
  });

  test("is nothing where one says no time, or none arrived that says how late they come", () => {
    assert.equal(derive([rotation({ dueAt: 1, writtenAt: 2 }), rotation({})]), undefined);
    assert.equal(derive([rotation({ dueAt: 1 })]), undefined);
  });
});

describe("the report of bench:rotation", () => {
  const hourly = measured("hourly", [
    rotation({ dueAt: 1_000, writtenAt: 1_200 }),
    rotation({ dueAt: 1_800_000 }),
    rotation({ dueAt: 3_600_000 }),
  ]);

  test("takes targets from the queue on, and tells one that is missed", () => {
    assert.deepEqual(targets(PUSH), [
      "target p50 within 1 s beyond the event's own way: 0.500 s: met",
      "target p99 within 3 s beyond the event's own way: 5.000 s: not met",
      "target all rotations in their Secrets: 100 of 100: met",
    ]);
  });

  test("misses the targets where rotations are lost, however fast the others were", () => {
    const lost = measured(
      "with push",
      PUSH.rotations.map((each, index) => (index < 10 ? each : rotation({ queuedAt: 100 }))),
    );
    assert.ok(targets(lost).every((line) => line.endsWith("not met")));
  });

  test("calls what nobody measured derived, in the figures and in the ratios", () => {
    assert.equal(waitsFromVersion(hourly).p50, undefined);
    assert.match(describeMeasured(hourly), /version to Secret +- +- +-\n +DERIVED, not measured +1800\.200 +3600\.200 +3600\.200\n/);
    assert.match(compared(PUSH, hourly), /^hourly \/ with push: version to Secret p50 3000\.3x \(derived\), p99 705\.9x \(derived\)/);
  });

  test("calls nothing derived where all was seen", () => {
    assert.doesNotMatch(describeMeasured(PUSH), /DERIVED/);
    assert.doesNotMatch(compared(PUSH, PUSH), /derived/);
  });
});

describe("the settings of bench:rotation", () => {
  test("refuse what cannot be, and say what to write", () => {
    assert.throws(() => readSettings(["--secrets", "10", "--rotations", "11"]), /--rotations 11: .* at most --secrets, 10/);
    assert.throws(() => readSettings(["--only", "push"]), /--only push: write one of worker, operator/);
    assert.throws(() => readSettings(["--rate", "0"]), /--rate 0: write a number above 0/);
    assert.throws(() => readSettings(["--secrets", "1.5"]), /--secrets 1\.5: write a whole number/);
  });

  test("take a run of parts", () => {
    const { secrets, rotations, rate, contestants } = readSettings("--secrets 100 --rotations 20 --rate 0.5 --only worker".split(" "));
    assert.deepEqual({ secrets, rotations, rate, contestants }, { secrets: 100, rotations: 20, rate: 0.5, contestants: ["worker"] });
  });
});
