import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findLeaks } from "../support/worker/canary.ts";

const VALUE = 'Canary-"öl"\nzeile/+~';

describe("the search for leaked values", () => {
  const carriers: Readonly<Record<string, string>> = {
    plain: `before ${VALUE} after`,
    "JSON-escaped": JSON.stringify({ message: `x${VALUE}` }),
    hex: Buffer.from(VALUE).toString("hex").toUpperCase(),
    "URL-escaped": `?q=${encodeURIComponent(VALUE)}`,
  };

  for (const [encoding, text] of Object.entries(carriers)) {
    test(`finds a value ${encoding}`, () => {
      assert.ok(findLeaks([VALUE], [{ name: "log", text }]).some((leak) => leak.encoding === encoding));
    });
  }

  for (const before of ["", "a", "ab"]) {
    test(`finds a value in base64, ${before.length} bytes into a group of three`, () => {
      for (const encoding of ["base64", "base64url"] as const) {
        const text = Buffer.from(`${before}${VALUE} and more`).toString(encoding);

        assert.notEqual(findLeaks([VALUE], [{ name: "log", text }]).length, 0);
      }
    });
  }

  test("finds nothing where nothing is", () => {
    assert.deepEqual(findLeaks([VALUE], [{ name: "log", text: "Canary" }]), []);
  });
});
