import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { objectSelectorsOf } from "../../src/domain/secret-data/read-selectors.ts";
import { isSelectedName, keyFor } from "../../src/domain/secret-data/select-objects.ts";
import type { Mirror } from "../../src/sync/vault/mirror.ts";
import { reasonOf } from "../support/fixtures/stored-class.ts";
import { INTERVAL, type PolledClass, PollingWorker } from "../support/worker/polling-worker.ts";
import { SHOP, stateOf, valuesOf } from "../support/worker/selecting-class.ts";

let worker: PollingWorker;

beforeEach(() => {
  worker = new PollingWorker();
});

async function next(one: PolledClass, check: Parameters<PolledClass["poll"]>[0] = {}): Promise<Mirror> {
  await worker.clock.advance(INTERVAL);
  return one.poll(check);
}

describe("a Secret of selected objects", () => {
  test("has those that match by name, under the keys of the rule", async () => {
    await worker.givenObjects("shop-db-user", "SHOP-api", "other", "my-shop-x", "managed-shop");
    const one = worker.aClass("class", SHOP);
    assert.deepEqual(valuesOf(await one.first()), { API: "SHOP-api@v2", DB_USER: "shop-db-user@v1" });
    assert.deepEqual(
      one.stored[0]?.data.map(({ key, object }) => `${key} ${object}`),
      ["API secret/SHOP-api", "DB_USER secret/shop-db-user"],
    );
  });

  test("has those with all of the tags, whoever else lists the vault without looking at tags", async () => {
    await worker.givenObjects("a", "b");
    const plain = worker.aClass("plain", { objects: ["a"] });
    await plain.first();
    worker.vaults.setTagged("c", { team: "shop", stage: "prod" });
    worker.vaults.setTagged("d", { team: "shop" });
    await worker.clock.advance(INTERVAL);
    await plain.poll();
    const one = worker.aClass("class", {
      objects: [],
      secrets: { shop: [] },
      objectSelectors: "shop:\n  tags: {team: shop, stage: prod}\n",
    });
    assert.deepEqual(valuesOf(await one.first()), { c: "c@v3" });
  });

  test("takes in a new one at the next poll, follows versions, and costs a list at rest", async () => {
    await worker.givenObjects("shop-a");
    const one = await worker.synced(SHOP);
    assert.deepEqual(stateOf(await next(one)), ["unchanged"]);
    assert.deepEqual(worker.vaults.taken(), ["app: list secrets"]);
    worker.vaults.set("shop-b");
    assert.deepEqual(valuesOf(await next(one)), { A: "shop-a@v1", B: "shop-b@v2" });
    await worker.clock.advance(600_000);
    worker.vaults.set("shop-a");
    assert.deepEqual(valuesOf(await next(one)), { A: "shop-a@v3", B: "shop-b@v2" });
  });

  test("A14: has nobody wait who names a few objects of a large vault", async () => {
    await worker.givenObjects(...Array.from({ length: 500 }, (_, index) => `shop-${index}`), "mine");
    const plain = await worker.synced({ objects: ["mine"] }, "plain");
    await plain.poll();
    worker.vaults.taken();
    const selecting = worker.aClass("selecting", SHOP);
    await worker.clock.advance(INTERVAL);
    // Its five hundred objects take the vault's budget: nobody waits for their end here.
    void selecting.first();
    assert.equal((await plain.poll()).kind, "answered");
    const requests = worker.vaults.taken();
    assert.ok(requests.includes("app: get mine") && requests.length < 10, requests.slice(0, 12).join());
  });

  test("loses one that is gone after the second list without it, and keeps it where one list was incomplete", async () => {
    await worker.givenObjects("shop-a", "shop-b");
    const one = await worker.synced(SHOP);
    await next(one);
    worker.vaults.delete("shop-b");
    assert.deepEqual(stateOf(await next(one)), ["unchanged"]);
    // Between two lists there is no second one.
    await worker.clock.advance(1_000);
    assert.deepEqual(stateOf(await one.poll({ due: worker.clock.now() - 1_000 })), ["unchanged"]);
    assert.deepEqual(valuesOf(await next(one)), { A: "shop-a@v1" });

    worker.vaults.set("shop-b");
    await next(one);
    worker.vaults.delete("shop-b");
    assert.deepEqual(stateOf(await next(one)), ["unchanged"]);
    worker.vaults.set("shop-b");
    await next(one);
    worker.vaults.delete("shop-b");
    assert.deepEqual(stateOf(await next(one)), ["unchanged"], "the count begins anew");
  });

  test("counts lists anew after a start", async () => {
    await worker.givenObjects("shop-a", "shop-b");
    const one = await worker.synced(SHOP);
    worker.vaults.delete("shop-b");
    assert.deepEqual(stateOf(await next(one)), ["unchanged"]);
    worker.start();
    assert.deepEqual(stateOf(await next(one)), ["unchanged"]);
    assert.deepEqual(valuesOf(await next(one)), { A: "shop-a@v1" });
  });

  test("loses none while pods use a class that is mirrored while it is used", async () => {
    await worker.givenObjects("shop-a", "shop-b");
    const one = await worker.synced(SHOP);
    worker.vaults.delete("shop-b");
    const kept = () => ({ selection: { held: one.stored, isKept: true } });
    for (let round = 0; round < 4; round += 1) assert.deepEqual(stateOf(await next(one, kept())), ["unchanged"]);
    await next(one);
    assert.deepEqual(valuesOf(await next(one)), { A: "shop-a@v1" });
  });

  test("stays as it is where nothing matches any more, or nothing may be listed", async () => {
    await worker.givenObjects("shop-a");
    const one = await worker.synced(SHOP);
    worker.vaults.delete("shop-a");
    await next(one);
    const answer = await next(one);
    assert.deepEqual(stateOf(answer), [
      "ObjectNotFound: no object of the vault matches spec.parameters.objectSelectors; the Secret stays unchanged",
    ]);
    worker.vaults.set("shop-a");
    worker.vaults.refuse("app", "list");
    assert.match(
      stateOf(await next(one))[0] ?? "",
      /^Forbidden: the objects of the vault cannot be listed, which spec\.parameters\.objectSelectors requires: grant/,
    );
  });

  test("takes in no disabled one, and says of one that it has what a class that names it says", async () => {
    await worker.givenObjects("shop-a", "shop-b");
    worker.vaults.enable("shop-b", false);
    const one = await worker.synced(SHOP);
    assert.deepEqual(
      one.stored[0]?.data.map(({ key }) => key),
      ["A"],
    );
    await worker.clock.advance(600_000);
    worker.vaults.enable("shop-b", true);
    await next(one);
    worker.vaults.enable("shop-b", false);
    assert.equal(reasonOf(await next(one)), "ObjectDisabled");
  });

  test("has the objects that the class names beside them", async () => {
    await worker.givenObjects("shop-a", "extra");
    const one = worker.aClass("class", { ...SHOP, objects: ["extra"], secrets: { shop: ["extra"] } });
    assert.deepEqual(valuesOf(await one.first()), { extra: "extra@v2", A: "shop-a@v1" });
    assert.deepEqual(stateOf(await next(one)), ["unchanged"]);
    assert.deepEqual(stateOf(await next(one)), ["unchanged"]);
  });

  for (const [why, names, selectors, reported] of [
    [
      "two would have one key",
      ["shop-a-b", "shop-a--b"],
      "shop:\n  names: shop-*\n  keys: {hyphens: ''}\n",
      'InvalidClass: secret/shop-a-b and secret/shop-a--b would both become the key "shopab": change spec.parameters.objectSelectors[shop][keys], or select one of them',
    ],
    [
      "there are more than a class may have",
      Array.from({ length: 2_001 }, (_, index) => `shop-${index}`),
      "shop:\n  names: shop-*\n",
      "TooLarge: spec.parameters.objectSelectors[shop] selects more than the 2000 objects that a class can have: select fewer",
    ],
  ] as const) {
    test(`is not written where ${why}`, async () => {
      await worker.givenObjects(...names);
      const one = worker.aClass("class", { ...SHOP, objectSelectors: selectors });
      assert.deepEqual(stateOf(await one.first()), [reported]);
    });
  }
});

describe("a selector", () => {
  const read = (objectSelectors: string) =>
    objectSelectorsOf({ provider: "azure", parameters: { objectSelectors }, secretObjects: [{ secretName: "shop" }] });

  for (const [text, place, message, hint] of [
    ["- a", "", "it is not a mapping", "write YAML: the name of a Secret, below it names or tags"],
    ["shap: {names: a}", "[shap]", 'no secretObject is named "shap"', "did you mean shop?"],
    ["shop: {name: a}", "[shop]", 'the field "name" does not exist', "did you mean names?"],
    ["shop: {names: {a: b}}", "[shop][names]", "it is not a list of texts", "write YAML: the name of a Secret, below it names or tags"],
    ["shop: {names: [a_b]}", "[shop][names][0]", '"a_b" is not a valid name in a vault', "write letters, digits, - and *"],
    ["shop: {type: secrets, names: a}", "[shop][type]", '"secrets" is not one of secret, key, cert', "write one of them"],
    [
      "shop: {names: a, keys: {upper: x}}",
      "[shop][keys]",
      'the field "upper" does not exist',
      "write one of removePrefix, letters, hyphens",
    ],
    ["shop: {names: a, keys: {hyphens: /}}", "[shop][keys][hyphens]", "a key cannot contain that", "write _, . or nothing"],
    ["shop: {type: key, names: a, certificates: true}", "[shop][certificates]", "certificates is for type: secret", "remove it"],
    [
      "shop: {}",
      "[shop]",
      "it would select every object of the vault that the identity can list",
      "select them by a pattern or a tag, or write everything: true",
    ],
    [
      "shop: {names: ['a', '**']}",
      "[shop]",
      "it would select every object of the vault that the identity can list",
      "select them by a pattern or a tag, or write everything: true",
    ],
    [`shop: {names: [${"a,".repeat(51)}]}`, "", "it has 51 patterns; a class can have 50", "spread it over several classes"],
    [
      `shop: {tags: {${Array.from({ length: 51 }, (_, index) => `t${index}: x`).join(", ")}}}`,
      "",
      "it has 51 tags; a class can have 50",
      "spread it over several classes",
    ],
    ["shop: {names: 'a*b*c*d*e*f*g'}", "", 'the pattern "a*b*c*d*e*f*g" has more than 5 asterisks', "write a shorter pattern"],
    [`shop: {names: ${"a".repeat(8_192)}}`, "", "it has more than 8192 characters", "spread it over several classes"],
  ] as const) {
    test(`is refused where it is ${text.slice(0, 60)}`, () => {
      const refused = read(text);
      assert.ok(!refused.ok);
      assert.deepEqual(
        [refused.error.field, refused.error.message, refused.error.hint],
        [`spec.parameters.objectSelectors${place}`, message, hint],
      );
    });
  }

  test("may take everything where it says so, or only what has a tag", () => {
    assert.ok(read("shop: {everything: true}").ok);
    assert.ok(read("shop: {names: '*', tags: {team: shop}}").ok);
  });

  test("matches patterns in time that grows with the lengths", () => {
    for (const [name, pattern, isMatch] of [
      ["shop-a", "shop-*", true],
      ["shop-", "shop-*", true],
      ["shop", "shop-*", false],
      ["a-shop-b", "*shop*", true],
      ["aba", "ab*ba", false],
      ["abba", "ab*ba", true],
      ["a", "a", true],
      ["ab", "a", false],
    ] as const)
      assert.equal(isSelectedName(name, [pattern]), isMatch, `${name} ${pattern}`);
    assert.equal(isSelectedName("a".repeat(127), [`${"*a".repeat(60)}b`]), false);
  });

  test("makes keys of names", () => {
    assert.equal(keyFor("Shop-DB-user", { removePrefix: "shop-", letters: "lower", hyphens: "." }), "db.user");
    assert.equal(keyFor("db", { removePrefix: "shop-", letters: "asTheyAre", hyphens: "-" }), "db");
  });
});
