import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { flatness, returned, type Series, thinness } from "../soak/verdict.ts";

const SECONDS = 600;

function seriesOf(value: (at: number) => number, allowance: Series["allowance"] = { part: 0.1, more: 0 }): Series {
  const samples = Array.from({ length: 140 }, (_, index) => (index - 10) * 5).map((at) => ({ at, value: value(at) }));
  return { name: "RSS", samples, allowance };
}

describe("the verdict of a soak", () => {
  test("takes what warms up and then stays for flat", () => {
    const warm = seriesOf((at) => 100 + 50 * Math.min(1, Math.max(0, at) / 150));

    assert.deepEqual(flatness(warm, SECONDS), { name: "RSS", middle: 150, last: 150, isFlat: true });
  });

  test("takes what grows to the end for a leak, also below noise", () => {
    assert.equal(
      flatness(
        seriesOf((at) => 100 + at * 0.2),
        SECONDS,
      ).isFlat,
      false,
    );
    assert.equal(
      flatness(
        seriesOf((at) => 100 + at * 0.2 + (at % 25)),
        SECONDS,
      ).isFlat,
      false,
    );
  });

  test("is not moved by one peak", () => {
    assert.equal(
      flatness(
        seriesOf((at) => (at === 500 ? 900 : 100)),
        SECONDS,
      ).isFlat,
      true,
    );
  });

  test("knows nothing flat of which there are no samples", () => {
    assert.equal(flatness({ ...seriesOf(() => 1), samples: [] }, SECONDS).isFlat, false);
    assert.equal(returned({ ...seriesOf(() => 1), samples: [] }, SECONDS).isFlat, false);
  });

  test("wants at rest afterwards what there was at rest before, whatever the storm needed", () => {
    const busy = (left: number) => (at: number) => (at < 0 ? 20 : at > SECONDS ? left : 500);

    assert.equal(returned(seriesOf(busy(22)), SECONDS).isFlat, true);
    assert.equal(returned(seriesOf(busy(40)), SECONDS).isFlat, false);
  });

  test("says what was too little to prove anything", () => {
    assert.deepEqual(thinness({ strikes: 60, rotations: 100, minutes: 10 }), []);
    assert.deepEqual(thinness({ strikes: 59, rotations: 99, minutes: 10 }), [
      "59 strikes in 10 min; at least 60 are wanted",
      "99 rotations in 10 min; at least 100 are wanted",
    ]);
  });
});
