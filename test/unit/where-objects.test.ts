import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseObjectId, parseObjectVersions, parseReference, referenceKey } from "../../src/domain/where/object-reference.ts";
import { isVault } from "../../src/domain/where/read-class.ts";

describe("an object as it is typed", () => {
  for (const [text, key] of [
    ["secret/Db-Pass", "secret/db-pass"],
    ["secrets/a", "secret/a"],
    ["key/signing", "key/signing"],
    ["certificate/web", "cert/web"],
    ["cert/web", "cert/web"],
    ["Certificates/WEB", "cert/web"],
  ] as const) {
    test(`is ${key}: ${text}`, () => {
      const parsed = parseReference(text);
      assert.equal(parsed.ok && referenceKey(parsed.value), key);
    });
  }

  for (const text of ["db-pass", "secret/", "secret/a/b", "secret/a_b", "configmap/a", "constructor/a", "secret/..", ""]) {
    test(`is refused with what to write: ${JSON.stringify(text)}`, () => {
      const parsed = parseReference(text);
      assert.match(parsed.ok ? "" : parsed.error, /write secret\/NAME|letters, digits, and dashes/);
    });
  }
});

describe("an object as it is stored", () => {
  test("is read with its place in a history", () => {
    assert.deepEqual(parseObjectId("secret/a/3"), { type: "secret", name: "a", index: 3 });
    assert.deepEqual(parseObjectId("cert/a"), { type: "cert", name: "a", index: undefined });
    for (const id of ["a", "secret/", "secret/a/b", "secret/a/1/2", "other/a"]) assert.equal(parseObjectId(id), undefined, id);
  });

  test("is read from the annotation of a Secret, and what is not of that form is left out", () => {
    assert.deepEqual(
      parseObjectVersions("key/k@1,secret/a/0@2, secret/a@,nonsense,secret/a@3").map(({ type, name, index, version }) => [
        type,
        name,
        index,
        version,
      ]),
      [
        ["key", "k", undefined, "1"],
        ["secret", "a", 0, "2"],
        ["secret", "a", undefined, "3"],
      ],
    );
  });
});

describe("a vault as it is typed", () => {
  const VAULT = "https://shop.vault.azure.net";
  for (const wanted of ["shop", "SHOP", "shop.vault.azure.net", VAULT, `${VAULT}/`, "https://shop.vault.azure.net:443/secrets/a"]) {
    test(`is the one: ${wanted}`, () => assert.ok(isVault(VAULT, wanted)));
  }
  for (const wanted of ["sho", "shop.vault.azure.cn", "https://other.vault.azure.net", "shop.vault"]) {
    test(`is another one: ${wanted}`, () => assert.ok(!isVault(VAULT, wanted)));
  }
  test("may be known by its name alone", () => assert.ok(isVault("shop", "shop")));
});
