import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { INTERVAL, PollingWorker } from "../support/worker/polling-worker.ts";

let worker: PollingWorker;

beforeEach(() => {
  worker = new PollingWorker();
});

describe("SM3: an answer that no class requests again in time", () => {
  test("serves other polls only shortly after, where a vault has more pages than objects are wanted", async () => {
    await worker.givenObjects("a", "b", ...Array.from({ length: 100 }, (_, index) => `other-${index}`));
    const one = await worker.synced({ objects: ["a"] }, "one");
    const other = await worker.synced({ objects: ["b"] }, "other");
    await one.poll();
    assert.equal(worker.vaults.taken().length, 5);

    await worker.clock.advance(INTERVAL / 20);
    await other.poll();
    assert.deepEqual(worker.vaults.taken(), [], "the control");

    await worker.clock.advance(INTERVAL * 0.9);
    worker.vaults.set("b");
    await other.poll();
    assert.deepEqual(worker.vaults.taken(), ["app: get b"]);
  });

  for (const answer of ["found", "refused"])
    test(`serves no class with a shorter interval, where the object was ${answer} in a class's poll`, async () => {
      await worker.givenObjects("a");
      worker.vaults.refuse("app", "list");
      const hourly = await worker.synced({ objects: ["a"] }, "hourly");
      const frequent = await worker.synced({ objects: ["a"] }, "frequent");
      if (answer === "refused") worker.vaults.enable("a", false);
      await hourly.poll({ interval: INTERVAL, period: 10 * INTERVAL });
      assert.deepEqual(worker.vaults.taken(), ["app: list secrets", "app: get a"]);

      await worker.clock.advance(INTERVAL * 0.9);
      await frequent.poll();
      assert.deepEqual(worker.vaults.taken(), ["app: get a"]);

      await worker.clock.advance(INTERVAL * 0.9);
      await hourly.poll({ interval: 10 * INTERVAL, period: 10 * INTERVAL });
      assert.deepEqual(worker.vaults.taken(), [], "the control");
    });

  test("serves no class with a shorter interval, where it is a list", async () => {
    await worker.givenObjects("a");
    const hourly = await worker.synced({ objects: ["a"] }, "hourly");
    const frequent = await worker.synced({ objects: ["a"] }, "frequent");
    await hourly.poll({ interval: 10 * INTERVAL, period: 10 * INTERVAL });
    await worker.clock.advance(INTERVAL * 0.9);
    worker.vaults.taken();

    await frequent.poll();
    assert.deepEqual(worker.vaults.taken(), ["app: list secrets"]);

    await worker.clock.advance(INTERVAL * 0.9);
    await hourly.poll({ interval: 10 * INTERVAL, period: 10 * INTERVAL });
    assert.deepEqual(worker.vaults.taken(), [], "the control");
  });
});
