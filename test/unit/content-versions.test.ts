import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { objectIdOf } from "../../src/domain/content/object-file.ts";
import { makesFile, selectVersions } from "../../src/domain/content/version-history.ts";
import type { VaultVersion } from "../../src/domain/ports/vault-object.ts";
import type { ClassObject } from "../../src/domain/provider-class/object-rules.ts";

function anObject(changes: Partial<ClassObject> = {}): ClassObject {
  const plain = { version: undefined, format: "pem", encoding: "utf-8", filePermission: "" } as const;
  return { type: "secret", name: "db", path: "db", history: 2, ...plain, ...changes };
}

/** `v1` is the oldest. */
const listed = (count: number): readonly VaultVersion[] =>
  Array.from({ length: count }, (_, index) => ({ version: `v${index + 1}`, isEnabled: true, created: index }));

const chosen = (object: ClassObject, versions: readonly VaultVersion[]) =>
  selectVersions(object, versions).map(({ path, version }) => `${path}=${version}`);

describe("a version history", () => {
  test("has one version more than it is asked for, newest first, as with the provider", () => {
    assert.deepEqual(chosen(anObject(), listed(5)), ["db/0=v5", "db/1=v4", "db/2=v3"]);
    assert.equal(chosen(anObject({ history: 5 }), listed(10)).length, 6);
    assert.deepEqual(chosen(anObject({ history: 5 }), listed(1)), ["db/0=v1"]);
  });

  test("starts at the newest version, or at the named one", () => {
    assert.deepEqual(chosen(anObject({ version: "latest" }), listed(2)), ["db/0=v2", "db/1=v1"]);
    assert.deepEqual(chosen(anObject({ version: "v3" }), listed(5)), ["db/0=v3", "db/1=v2", "db/2=v1"]);
  });

  test("of a version that is not there is empty", () => assert.deepEqual(chosen(anObject({ version: "v9" }), listed(5)), []));

  test("skips disabled versions, and cannot start at one", () => {
    const versions = listed(4).map((entry) => ({ ...entry, isEnabled: entry.version !== "v3" }));
    assert.deepEqual(chosen(anObject(), versions), ["db/0=v4", "db/1=v2", "db/2=v1"]);
    assert.deepEqual(chosen(anObject({ version: "v3" }), versions), []);
  });

  test("puts versions without a time last, in the order of the list", () => {
    const versions = [
      { version: "a", isEnabled: true, created: 0 },
      { version: "b", isEnabled: true, created: 0 },
      { version: "c", isEnabled: true, created: 5 },
    ];
    assert.deepEqual(chosen(anObject(), versions), ["db/0=c", "db/1=a", "db/2=b"]);
  });

  test("lies in the folder that the alias names, written without detours", () => {
    assert.deepEqual(chosen(anObject({ path: "./a//b/" }), listed(1)), ["a/b/0=v1"]);
    assert.deepEqual(chosen(anObject({ path: "." }), listed(1)), ["0=v1"]);
  });

  test("shows in the ids of its objects", () => {
    assert.deepEqual(selectVersions(anObject({ path: "x" }), listed(2)).map(objectIdOf), ["secret/db/0", "secret/db/1"]);
    assert.equal(objectIdOf(anObject()), "secret/db");
  });
});

describe("a failed object", () => {
  for (const [changes, names, others] of [
    [{ history: 0, path: "a/b" }, ["a/b", "a/b.crt", "a/b.key"], ["a/b/0", "a", "b", "a/b.pem"]],
    [{ history: 2, path: "a/b" }, ["a/b/0", "a/b/17", "a/b/0.crt", "a/b/1.key"], ["a/b", "a/b/x", "a/b/01", "a/b/", "b/0"]],
    [{ history: 2, path: "." }, ["0", "17.key"], ["/0", "./0", "x", ""]],
  ] as const satisfies readonly (readonly [Partial<ClassObject>, readonly string[], readonly string[]])[]) {
    test(`explains why ${names[0]} is missing, and no other file`, () => {
      for (const name of names) assert.equal(makesFile(anObject(changes), name), true, name);
      for (const name of others) assert.equal(makesFile(anObject(changes), name), false, name);
    });
  }
});
