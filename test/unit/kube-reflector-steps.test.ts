import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { isVersionOlder } from "../../src/domain/resource-version.ts";
import { planAfter, type StepOutcome } from "../../src/kube/reflector-steps.ts";

const middle = (): number => 0.5;
const watchFrom7 = { kind: "watch", resourceVersion: "7" } as const;
const failure = (retry: KubeError["retry"] = { kind: "backoff" }): StepOutcome => ({
  kind: "failed",
  step: watchFrom7,
  error: new KubeError("Unavailable", "no answer", { retry }),
  wasUseful: false,
});

/** Delays after repeated steps with the same outcome. */
function delaysOf(outcome: StepOutcome, times: number): readonly number[] {
  const delays: number[] = [];
  let failures = 0;
  for (let i = 0; i < times; i++) {
    const plan = planAfter(outcome, failures, middle);
    delays.push(plan.delayMs);
    failures = plan.failures;
  }
  return delays;
}

describe("a reflector", () => {
  test("watches from where the list ended, at once", () => {
    assert.deepEqual(planAfter({ kind: "listed", resourceVersion: "7" }, 0, middle), { step: watchFrom7, delayMs: 0, failures: 0 });
  });

  test("goes on at once after a watch that ended in its time, and forgets earlier failures", () => {
    const plan = planAfter({ kind: "ended", resourceVersion: "7", wasUseful: true }, 5, middle);
    assert.deepEqual(plan, { step: watchFrom7, delayMs: 0, failures: 0 });
  });

  test("lists anew after a watch without a word, and where versions went back", () => {
    assert.deepEqual(planAfter({ kind: "silent" }, 0, middle).step, { kind: "list" });
    assert.deepEqual(planAfter({ kind: "restored", wasUseful: true }, 5, middle), { step: { kind: "list" }, delayMs: 300, failures: 1 });
  });

  test("compares versions as whole numbers of any size, and nothing else", () => {
    assert.equal(isVersionOlder("999", "1000"), true);
    assert.equal(isVersionOlder("1000", "1000"), false);
    assert.equal(isVersionOlder("9007199254740992", "9007199254740993"), true);
    assert.equal(isVersionOlder("a", "b"), false);
    assert.equal(isVersionOlder("", "5"), false);
  });

  test("waits longer and longer, up to half a minute, where watches end at once", () => {
    const delays = delaysOf({ kind: "ended", resourceVersion: "7", wasUseful: false }, 9);
    assert.deepEqual(delays, [300, 600, 1_200, 2_400, 4_800, 9_600, 19_200, 22_500, 22_500]);
  });

  test("does not count a list as a success while watches fail", () => {
    const failed = planAfter(failure(), 4, middle);
    const listed = planAfter({ kind: "listed", resourceVersion: "7" }, failed.failures, middle);
    assert.equal(listed.failures, 5);
  });

  test("tries a failed watch again from where it was, and starts its wait anew where the watch had been of use", () => {
    assert.deepEqual(planAfter(failure(), 0, middle), { step: watchFrom7, delayMs: 300, failures: 1 });
    assert.equal(planAfter({ ...failure(), wasUseful: true } as StepOutcome, 6, middle).failures, 1);
  });

  test("waits as long as the server says", () => {
    assert.equal(planAfter(failure({ kind: "after", milliseconds: 9_000 }), 0, middle).delayMs, 9_000);
  });

  test("lists anew after expired history and after an error in the stream, later each time", () => {
    for (const kind of ["expired", "broken"] as const) {
      assert.deepEqual(planAfter({ kind, wasUseful: false }, 0, middle).step, { kind: "list" });
      assert.deepEqual(delaysOf({ kind, wasUseful: false }, 3), [300, 600, 1_200]);
    }
  });

  test("asks about once a second for a kind that is not served, however long", () => {
    assert.deepEqual(delaysOf({ kind: "unserved" }, 4), [750, 750, 750, 750]);
    assert.deepEqual(
      [planAfter({ kind: "unserved" }, 0, () => 0).delayMs, planAfter({ kind: "unserved" }, 0, () => 0.999_999).delayMs],
      [500, 1_000],
    );
  });

  test("lists at once when told to", () => {
    assert.deepEqual(planAfter({ kind: "relist" }, 3, middle), { step: { kind: "list" }, delayMs: 0, failures: 3 });
  });
});
