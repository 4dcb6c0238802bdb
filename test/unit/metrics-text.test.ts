import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMetricsText } from "../../src/runtime/metrics-text.ts";

/** A registry whose collection takes `took` milliseconds of the clock. */
function slowRegistry(took: number) {
  const state = { now: 1_000, collections: 0, last: 0 };
  const metrics = async (): Promise<string> => {
    state.collections += 1;
    state.last = state.now;
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

  test("is new at each request of scrapers that come every few seconds, and of a few requests in a row", async () => {
    const { text, state } = slowRegistry(500);
    for (let scrape = 1; scrape <= 20; scrape += 1) {
      assert.equal(await text(), `collection ${scrape}`);
      state.now += 5_000;
    }
    for (let scrape = 21; scrape <= 24; scrape += 1) assert.equal(await text(), `collection ${scrape}`);
  });

  for (const took of [5, 60, 400]) {
    test(`takes a tenth of the time where requests never end, and is never older than five seconds: ${took} ms`, async () => {
      const { text, state } = slowRegistry(took);
      const began = state.now;
      while (state.now - began < 200_000) {
        await text();
        assert.ok(state.now - state.last <= 5_000 + took, `the text is ${state.now - state.last} ms old`);
        state.now += 1;
      }
      const share = (state.collections * took - 2_000) / (state.now - began);
      assert.ok(share > 0.09 && share < 0.11, `collections took ${share} of the time`);
    });
  }

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
