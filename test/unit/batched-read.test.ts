import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { batchedRead } from "../../src/sync/healing/crd-health.ts";

const never = new AbortController().signal;

/** Reads that end when the test ends them. */
function reads() {
  const begun: PromiseWithResolvers<string>[] = [];
  const ask = batchedRead(() => {
    const read = Promise.withResolvers<string>();
    begun.push(read);
    return read.promise;
  });
  return { begun, ask };
}

async function begins(begun: readonly unknown[], count: number): Promise<void> {
  for (let turn = 0; turn < 20 && begun.length < count; turn += 1) await Promise.resolve();
  assert.equal(begun.length, count);
}

describe("a batched read", () => {
  test("is one for all who ask while another is under way, and begins after they asked", async () => {
    const { begun, ask } = reads();
    const first = ask(never);
    await begins(begun, 1);
    const others = [ask(never), ask(never), ask(never)];
    begun[0]?.resolve("before");
    assert.equal(await first, "before");
    await begins(begun, 2);
    begun[1]?.resolve("after");
    assert.deepEqual(await Promise.all(others), ["after", "after", "after"]);
    assert.equal(begun.length, 2);
  });

  test("that fails is told to those who waited for it, and holds up no other", async () => {
    const { begun, ask } = reads();
    const first = ask(never);
    await begins(begun, 1);
    const second = ask(never);
    begun[0]?.reject(new Error("no answer"));
    await assert.rejects(first, /no answer/);
    await begins(begun, 2);
    begun[1]?.resolve("answer");
    assert.equal(await second, "answer");
  });

  test("goes on for the others when one of them gives up", async () => {
    const { begun, ask } = reads();
    const impatient = new AbortController();
    const [gone, staying] = [ask(impatient.signal), ask(never)];
    await begins(begun, 1);
    impatient.abort(new Error("stopped"));
    await assert.rejects(gone, /stopped/);
    begun[0]?.resolve("answer");
    assert.equal(await staying, "answer");
  });
});
