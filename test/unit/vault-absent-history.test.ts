import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { reasonOf } from "../support/fixtures/stored-class.ts";
import { INTERVAL, type PolledClass, PollingWorker } from "../support/worker/polling-worker.ts";

let worker: PollingWorker;

beforeEach(() => {
  worker = new PollingWorker();
});

/** A class with two objects: one with a history, and one without. */
function aClass(): PolledClass {
  return worker.aClass("class", {
    objects: [{ objectName: "old", objectVersionHistory: "2" }, "other"],
  });
}

async function nextPoll(one: PolledClass): Promise<string> {
  await worker.clock.advance(INTERVAL);
  return reasonOf(await one.poll());
}

const stateOf = (one: PolledClass, name: string) => one.stored.find((secret) => secret.name === name)?.state;

describe("a history that the vault lists no version of", () => {
  test("V2: is an object that is not found, at first and at each poll, until it is there", async () => {
    await worker.givenObjects("other");
    const one = aClass();

    assert.equal(reasonOf(await one.first()), "ObjectNotFound");
    assert.deepEqual([stateOf(one, "old"), stateOf(one, "other")], ["ObjectNotFound", "Synced"]);
    for (let round = 0; round < 3; round += 1) assert.equal(await nextPoll(one), "ObjectNotFound");

    worker.vaults.set("old");
    assert.equal(await nextPoll(one), "Synced");
    assert.equal(stateOf(one, "old"), "Synced");
  });

  test("V2: leaves the Secret as it is when the object goes", async () => {
    await worker.givenObjects("old", "other");
    const one = aClass();
    assert.equal(reasonOf(await one.first()), "Synced");
    const held = one.stored.find(({ name }) => name === "old")?.data;

    worker.vaults.delete("old");

    assert.equal(await nextPoll(one), "ObjectNotFound");
    assert.deepEqual([stateOf(one, "old"), one.stored.find(({ name }) => name === "old")?.data], ["ObjectNotFound", held]);
  });
});
