import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { mergePatchOf } from "../../src/domain/healing/merge-patch.ts";
import { isJsonObject, type JsonObject } from "../../src/domain/json-object.ts";

/** Applies a merge patch according to RFC 7396, section 2. */
function merged(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const result: Record<string, unknown> = isJsonObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

/** Values as in a class: objects, lists, and strings, but no null. */
const value = fc.letrec((tie) => ({
  any: fc.oneof({ maxDepth: 3 }, fc.string(), fc.array(tie("any"), { maxLength: 3 }), tie("object")),
  object: fc.dictionary(fc.constantFrom("a", "b", "c", "labels"), tie("any"), { maxKeys: 3, noNullPrototype: true }),
}));

describe("a merge patch", () => {
  test("makes the one object of the other", () => {
    fc.assert(
      fc.property(value["object"] as fc.Arbitrary<JsonObject>, value["object"] as fc.Arbitrary<JsonObject>, (from, to) => {
        const patch = mergePatchOf(from, to);
        assert.deepEqual(patch === undefined ? from : merged(from, patch), to);
      }),
    );
  });

  test("is none where nothing differs", () => {
    assert.equal(mergePatchOf({ a: { b: ["x"] } }, { a: { b: ["x"] } }), undefined);
    assert.deepEqual(mergePatchOf({ a: "x", b: "y" }, { a: "x" }), { b: null });
  });
});
