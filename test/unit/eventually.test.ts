import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../support/time/eventually.ts";

const HOUR_MS = 3_600_000;

const after = (...answers: readonly unknown[]): (() => Promise<unknown>) => {
  const left = [...answers];
  return async () => {
    const next = left.length > 1 ? left.shift() : left[0];
    if (next instanceof Error) throw next;
    return next;
  };
};

describe("waiting for a condition", () => {
  for (const notYet of [undefined, false, [], new Error("away")]) {
    test(`takes ${notYet instanceof Error ? "an error" : JSON.stringify(notYet)} for not yet`, async () => {
      assert.deepEqual(await eventually(after(notYet, ["it"]), { every: 1 }), ["it"]);
      await assert.rejects(eventually(after(notYet), { within: 5, every: 1, what: "it" }), /^Error: it did not come true within 5 ms/);
    });
  }

  test("resolves with what is there, even if that is zero or an empty text", async () => {
    assert.equal(await eventually(after(0)), 0);
    assert.equal(await eventually(after("")), "");
  });

  test("lasts as long as its limit says, also if the machine's clock is set forward by an hour in between", async (t) => {
    const real = Date.now;
    let ahead = 0;
    t.mock.method(Date, "now", () => real() + ahead);
    const answer = after(undefined, undefined, "it");
    const attempt = (): Promise<unknown> => {
      ahead += HOUR_MS;
      return answer();
    };

    assert.equal(await eventually(attempt, { within: 5_000, every: 1 }), "it");
  });
});
