import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compare, describeComparison, type Round } from "../load/against.ts";

/** Rounds in which the entrants differ from 100 by up to `noise`, alternately up and down. `factor` is the cost of the change. */
function rounds(factor: number, noise: number): readonly Round[] {
  return Array.from({ length: 9 }, (_, index) => {
    const off = (turn: number): number => 1 + noise * ([-1, 0.5, 1, 0, -0.5][(index + turn) % 5] ?? 0);
    return { now: { cpu: 100.5 * factor * off(0) }, again: { cpu: 100.5 * off(1) * factor }, before: { cpu: 100.5 * off(2) } };
  });
}

describe("a benchmark against another commit", () => {
  it("says that nothing is worse where both builds cost the same", () => {
    const compared = compare(rounds(1, 0.02));
    assert.equal(compared[0]?.isWorse, false);
    assert.match(describeComparison(compared, { before: "abc1234", rounds: 9 }), /against abc1234: 1 figures in 9 rounds, nothing worse/);
  });

  it("names a figure that became worse by more than the allowance and the build's own spread", () => {
    const compared = compare(rounds(1.15, 0.02));
    assert.equal(compared[0]?.isWorse, true);
    assert.match(describeComparison(compared, { before: "abc1234", rounds: 9 }), /worse by more than 5 % .*: cpu/);
  });

  it("does not take noise for a change: what the build differs from itself is allowed on top", () => {
    assert.equal(compare(rounds(1.08, 0.1))[0]?.isWorse, false);
  });

  it("calls a figure worse that could not be measured", () => {
    const [round] = rounds(1, 0);
    assert.equal(compare([{ now: { cpu: Number.NaN }, again: { cpu: 1 }, before: round?.before ?? {} }])[0]?.isWorse, true);
  });

  it("takes one more of a count for none", () => {
    const count = (now: number): boolean | undefined => compare([{ now: { n: now }, again: { n: now }, before: { n: 0 } }])[0]?.isWorse;
    assert.equal(count(1), false);
    assert.equal(count(9), true);
  });
});
