import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Deletion, mustHold } from "../soak/deletions.ts";

const deletion = (given: Partial<Deletion> = {}): Deletion => ({ name: "passing-1", at: 100_000, isUnderOneDefinition: true, ...given });

describe("the deletion of a class in a soak", () => {
  test("must hold where the CRD was deleted long before, or once everybody has seen it", () => {
    assert.equal(mustHold(deletion(), []), true);
    assert.equal(mustHold(deletion(), [99_999, 125_001]), true);
  });

  test("need not where the CRD went with it, or before anybody had seen it", () => {
    assert.equal(mustHold(deletion({ isUnderOneDefinition: false }), []), false);
    assert.equal(mustHold(deletion(), [100_000]), false);
    assert.equal(mustHold(deletion(), [124_000]), false);
  });
});
