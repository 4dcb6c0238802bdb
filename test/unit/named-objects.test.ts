/** The facts that the worker keeps about classes in order to find those that an event concerns. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { MAX_OBJECTS } from "../../src/domain/provider-class/class-limits.ts";
import { NamedObjects } from "../../src/sync/push/named-objects.ts";
import { heldBytes } from "../support/time/collected.ts";

const VAULT = "shop";

function aClass(name: string, objects: string, vault = VAULT): SecretProviderClass {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace: "team", name },
    spec: { provider: "azure", parameters: { keyvaultName: vault, objects } },
  };
}

const naming = (names: readonly string[]): string => names.map((name) => `objectName:${name} `).join("");
const numbered = (count: number, prefix = "n"): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index.toString(36)}`);

describe("what is kept of the names in classes", () => {
  test("A18-10: takes less than their text, however dense the names in it are", async () => {
    const classes = Array.from({ length: 8 }, (_, index) => aClass(`c${index}`, naming(numbered(20_000, `${index}x`)).slice(0, 250_000)));
    const ofText = classes.length * 250_000;
    const named = new NamedObjects();
    const before = await heldBytes();
    for (const current of classes) named.note({ previous: undefined, current });
    const kept = (await heldBytes()) - before;

    assert.equal(named.classesOf(VAULT).length, classes.length);
    assert.ok(kept < ofText / 2, `${kept} bytes are kept of ${ofText} characters`);
  });

  test("A18-10: is of as many names as a class may have objects, each of which is found", () => {
    const names = numbered(MAX_OBJECTS + 1);
    const named = new NamedObjects();
    named.note({ previous: undefined, current: aClass("large", naming(names)) });

    const found = names.filter((name) => named.classesNaming(VAULT, name).includes("team/large"));
    assert.deepEqual(found, names.slice(0, MAX_OBJECTS));
    assert.deepEqual(named.classesNaming(VAULT, "nowhere"), []);
  });

  test("A18-10: is nothing of a vault whose name is longer than any", () => {
    const named = new NamedObjects();
    const long = "v".repeat(25);
    named.note({ previous: undefined, current: aClass("one", naming(["db"]), long) });

    assert.deepEqual(named.classesOf(long), []);
  });

  for (const [form, text, isAny] of [
    ["plain", "array:\n  - |\n    objectName: db\n    objectType: secret\n", false],
    ["plain at the end of the text", "array:\n  - |\n    objectType: secret\n    objectName: db", false],
    ["quoted", "array:\n  - |\n    'objectName' : \"db\"\n", false],
    ["JSON in a quoted text", 'array: ["{\\"objectName\\": \\"db\\", \\"objectType\\": \\"secret\\"}"]', false],
    ["a line of a quoted text", 'array: ["objectName: db\\nobjectType: secret"]', false],
    ["a mapping in braces", "array:\n  - |\n    {objectName: db}\n", false],
    ["explicit", "array:\n  - |\n    ? objectName\n    : db\n", false],
    ["folded", "array:\n  - |\n    objectName: >-\n      db\n    objectType: secret\n", true],
    ["anchored", "array:\n  - |\n    objectName: &n db\n    objectAlias: *n\n", true],
    ["an alias", "array:\n  - |\n    objectAlias: &n db\n    objectName: *n\n", true],
    ["tagged", "array:\n  - |\n    objectName: !!str db\n", true],
    ["behind a comment", "array:\n  - |\n    objectName: # the database\n      db\n", true],
    ["in part by its number", 'array:\n  - |\n    objectName: "d\\x62"\n', true],
    ["under a key by its number", 'array:\n  - |\n    "object\\u004eame": db\n', true],
  ] as const) {
    test(`R18-23: has a name that is written in another way count for every name: ${form}`, () => {
      const named = new NamedObjects();
      named.note({ previous: undefined, current: aClass("one", text) });

      assert.deepEqual(named.classesNaming(VAULT, "db"), ["team/one"]);
      assert.equal(named.classesNaming(VAULT, "nowhere").length, isAny ? 1 : 0);
    });
  }

  test("goes by any case of vault and name, and follows an edit, another vault and a deletion", () => {
    const named = new NamedObjects();
    const [first, other, moved] = [
      aClass("one", naming(["DB"]), "Shop"),
      aClass("one", naming(["api"])),
      aClass("one", naming(["api"]), "else"),
    ];
    named.note({ previous: undefined, current: first });
    assert.deepEqual(named.classesNaming("SHOP", "db"), ["team/one"]);
    named.note({ previous: first, current: other });
    assert.deepEqual([named.classesNaming(VAULT, "db"), named.classesNaming(VAULT, "API")], [[], ["team/one"]]);
    named.note({ previous: other, current: moved });
    assert.deepEqual([named.classesOf(VAULT), named.classesNaming("else", "api")], [[], ["team/one"]]);
    named.note({ previous: moved, current: undefined });
    assert.deepEqual(named.classesOf("else"), []);
  });
});
