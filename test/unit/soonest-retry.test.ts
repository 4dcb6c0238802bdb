import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KubeError, type KubeErrorCode } from "../../src/domain/ports/kube-error.ts";
import type { Retry } from "../../src/domain/ports/retry.ts";
import type { Outcome } from "../../src/runtime/workqueue.ts";
import { CopyPass } from "../../src/sync/copies/copy-pass.ts";
import { patiently, soonestOf } from "../../src/sync/patience.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { passTimes } from "../support/worker/pass-times.ts";

const SOON = { Conflict: 500 };

const refusal = (code: KubeErrorCode, retry: Retry): KubeError => new KubeError(code, code, { retry, status: 400 });
const after = (seconds: number): KubeError => refusal("Throttled", { kind: "after", milliseconds: seconds * 1_000 });
const backoff = refusal("Forbidden", { kind: "backoff" });
const never = refusal("Invalid", { kind: "never" });
const conflict = refusal("Conflict", { kind: "backoff" });

/** Returns the seconds at which the first passes begin whose writes the API server refuses with these errors. */
function passes(refusals: readonly KubeError[], count: number): Promise<readonly number[]> {
  return passesOf(async () => {
    throw soonestOf(refusals, SOON) ?? new Error("no refusal");
  }, count);
}

/** Returns the seconds at which the first passes begin that end with this outcome or error. */
function passesOf(end: () => Promise<Outcome>, count: number): Promise<readonly number[]> {
  return passTimes(new ManualClock(), () => patiently(end, SOON), count);
}

describe("CW-6: a pass with several refusals comes again", () => {
  for (const [name, refusals, expected] of [
    ["at the sooner of two times", [after(60), after(2)], [0, 2, 4]],
    ["by the backoff while that is sooner than the time", [after(5), backoff], [0, 1, 3, 7, 12, 17]],
    ["by the time once that is sooner than the backoff", [backoff, after(5)], [0, 1, 3, 7, 12, 17]],
    ["as soon as a refusal for good would alone", [never, after(300)], [0, 60, 120]],
    ["as soon as a conflict would alone", [backoff, conflict], [0, 0.5, 1]],
    ["by the backoff beside a refusal for good", [never, backoff], [0, 1, 3, 7]],
    ["by the only time (control)", [after(60)], [0, 60]],
  ] as const)
    test(name, async () => assert.deepEqual(await passes(refusals, expected.length), expected));

  test("and is the error of a write, with all that it tells", () => {
    const { code, message, status, retry } = soonestOf([after(5), backoff]) ?? assert.fail("no error");
    const limited = { kind: "backoff", atMostMs: 5_000 };
    assert.deepEqual({ code, message, status, retry }, { code: "Forbidden", message: "Forbidden", status: 400, retry: limited });
    assert.equal(soonestOf([]), undefined);
  });
});

describe("SF-2: a pass over copies, one of which the next pass can settle, and one of which is refused, comes again", () => {
  for (const [name, refused, expected] of [
    ["for the former, however long the API server asks the latter to wait", after(300), [0, 1, 2]],
    ["for the former, where the latter is refused for good", never, [0, 1, 2]],
    ["for the former, once the backoff of the latter is longer", backoff, [0, 1, 2, 3, 4]],
  ] as const)
    test(name, async () => {
      const end = async (): Promise<Outcome> => {
        const pass = new CopyPass();
        pass.noteUnclear({ namespace: "unclear", name: "app" });
        await pass.attempt([{ namespace: "refused", name: "app" }], () => Promise.reject(refused));
        return pass.outcome();
      };
      assert.deepEqual(await passesOf(end, expected.length), expected);
    });
});
