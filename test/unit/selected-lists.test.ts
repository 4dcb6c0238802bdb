import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Mirror } from "../../src/sync/vault/mirror.ts";
import { INTERVAL, type PolledClass, type PolledClassFacts, PollingWorker } from "../support/worker/polling-worker.ts";
import { SHOP, stateOf, valuesOf } from "../support/worker/selecting-class.ts";

let worker: PollingWorker;

beforeEach(() => {
  worker = new PollingWorker();
});

async function next(one: PolledClass): Promise<Mirror> {
  await worker.clock.advance(INTERVAL);
  return one.poll();
}

describe("R20-1: a list that was begun before somebody selected from it", () => {
  /** A class that names its objects has just started the list after a change of leader. The selecting class comes during the list. */
  async function joining(selecting: PolledClassFacts): Promise<Mirror> {
    const plain = worker.aClass("plain", { objects: Array.from({ length: 10 }, (_, index) => `other-${index}`) });
    const one = worker.aClass("class", selecting);
    await plain.first();
    await one.first();
    await worker.clock.advance(INTERVAL);
    worker.start();
    worker.vaults.taken();
    const begun = plain.poll();
    while (!worker.vaults.requests.some((request) => request.includes("list"))) await Promise.resolve();
    const [answer] = await Promise.all([one.poll(), begun]);
    return answer;
  }

  const others = Array.from({ length: 60 }, (_, index) => `other-${index}`);

  test("gives nobody the private keys of certificates", async () => {
    await worker.givenObjects(...others, "managed-shop", "shop-b");
    const selecting = { ...SHOP, objectSelectors: "shop:\n  names: [shop-*, managed-*]\n" };
    assert.deepEqual(stateOf(await joining(selecting)), ["unchanged"]);
  });

  test("does not pass for a vault without the tags", async () => {
    await worker.givenObjects(...others);
    for (const name of ["a", "b"]) worker.vaults.setTagged(name, { team: "shop" });
    await worker.clock.advance(600_000);
    assert.deepEqual(stateOf(await joining({ ...SHOP, objectSelectors: "shop:\n  tags: {team: shop}\n" })), ["unchanged"]);
  });
});

describe("R20-2: a vault that may not be listed", () => {
  test("is not looked at: the class is not fresh, and was not checked", async () => {
    await worker.givenObjects("shop-a");
    const one = await worker.synced(SHOP);
    worker.vaults.refuse("app", "list");
    for (const answer of [await next(one), await one.first()]) {
      assert.equal(answer.kind, "answered");
      assert.deepEqual([answer.notFresh?.reason, answer.checkedAt, answer.retry], ["Forbidden", undefined, { kind: "never" }]);
    }
  });
});

describe("R20-4: a right to list that was granted", () => {
  test("is noticed by who asks for everything, and by who was told that access changed", async () => {
    await worker.givenObjects("shop-a");
    worker.vaults.refuse("app", "list");
    const one = worker.aClass("class", SHOP);
    const other = worker.aClass("other", SHOP);
    assert.match(stateOf(await one.first()).join(), /^Forbidden/);
    assert.match(stateOf(await other.first()).join(), /^Forbidden/);
    await worker.clock.advance(60_000);
    worker.vaults.refuse("app");
    assert.match(stateOf(await one.poll()).join(), /^Forbidden/, "a poll asks once an hour");
    const hints = { keys: new Set<string>(), isAccessChanged: true, since: worker.clock.now() };
    assert.deepEqual(stateOf(await other.poll({ hints })), ["desired"]);
    worker.vaults.refuse("app", "list");
    await next(one);
    await worker.clock.advance(60_000);
    worker.vaults.refuse("app");
    assert.deepEqual(valuesOf(await one.first()), { A: "shop-a@v1" });
  });
});

describe("R20-5: an object that the class both names and selects", () => {
  test("leaves the Secret that selects it as any other does", async () => {
    await worker.givenObjects("shop-a", "shop-b");
    const one = await worker.synced({
      ...SHOP,
      objects: [{ objectName: "shop-b", objectAlias: "pinned", objectVersion: "v2" }],
      secrets: { one: ["pinned"], shop: [] },
    });
    worker.vaults.delete("shop-b");
    assert.deepEqual(stateOf(await one.poll()), ["unchanged", "unchanged"]);
    const second = await next(one);
    assert.equal(second.kind, "answered");
    assert.deepEqual(
      second.secrets.map((secret) => (secret.kind === "desired" ? secret.secret.name : `${secret.name} ${secret.kind}`)),
      ["one unchanged", "shop"],
    );
  });
});
