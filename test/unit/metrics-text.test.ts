import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMetricsText } from "../../src/runtime/metrics-text.ts";

/** A registry whose collection takes `took` milliseconds of the clock. */
function slowRegistry(took: number) {
  const state = { now: 1_000, collections: 0 };
  const metrics = async (): Promise<string> => {
    state.collections += 1;
    const text = `collection ${state.collections}`;
    await Promise.resolve();
    state.now += took;
    return text;
  };
  return { state, text: createMetricsText({ metrics }, () => state.now) };
}

describe("AT2: the metrics' text", () => {
  test("is collected once for all who request it meanwhile", async () => {
    const { text, state } = slowRegistry(60);
    assert.deepEqual(await Promise.all([text(), text(), text()]), ["collection 1", "collection 1", "collection 1"]);
    assert.equal(state.collections, 1);
  });

  test("serves for nine times as long as its collection took, and is then new", async () => {
    const { text, state } = slowRegistry(60);
    await text();
    state.now += 539;
    assert.equal(await text(), "collection 1");
    state.now += 1;
    assert.equal(await text(), "collection 2");
  });

  test("is never older than five seconds", async () => {
    const { text, state } = slowRegistry(2_000);
    await text();
    state.now += 5_000;
    assert.equal(await text(), "collection 2");
  });

  test("is new at each request where a collection takes no time", async () => {
    const { text } = slowRegistry(0);
    assert.deepEqual([await text(), await text()], ["collection 1", "collection 2"]);
  });

  test("is requested again after a failure", async () => {
    let attempts = 0;
    const metrics = (): Promise<string> => {
      attempts += 1;
      return attempts === 1 ? Promise.reject(new Error("a collector failed")) : Promise.resolve("text");
    };
    const text = createMetricsText({ metrics }, () => 0);
    await assert.rejects(text(), /a collector failed/);
    assert.equal(await text(), "text");
  });
});
