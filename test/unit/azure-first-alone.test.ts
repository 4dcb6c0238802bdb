import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { firstAlone } from "../../src/azure/first-alone.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";

/** Calls that end when the test says so. */
function calls() {
  const turn = firstAlone();
  const started: PromiseWithResolvers<string>[] = [];
  const begin = (): Promise<string> =>
    turn(() => {
      const call = Promise.withResolvers<string>();
      started.push(call);
      return call.promise;
    });
  return { begin, started };
}

describe("the calls of a new client", () => {
  test("wait for the first, and go together after it", async () => {
    const { begin, started } = calls();
    const running = [begin(), begin(), begin()];
    await nextTurn();
    assert.equal(started.length, 1);

    started[0]?.resolve("a");
    await nextTurn();
    assert.equal(started.length, 3);
    for (const call of started) call.resolve("b");
    assert.deepEqual(await Promise.all(running), ["a", "b", "b"]);
  });

  test("are not failed by the first, and have to wait for another first only where no answer came", async () => {
    for (const [code, together] of [
      ["Forbidden", 2],
      ["Unreachable", 1],
    ] as const) {
      const { begin, started } = calls();
      const first = begin();
      started[0]?.reject(new VaultError(code, "no", { retry: { kind: "never" }, origin: "vault" }));
      await assert.rejects(first);

      const running = [begin(), begin()];
      await nextTurn();
      assert.equal(started.length - 1, together, code);
      for (let turn = 0; turn < 2; turn += 1) {
        for (const call of started) call.resolve("x");
        await nextTurn();
      }
      assert.deepEqual(await Promise.all(running), ["x", "x"]);
    }
  });
});
