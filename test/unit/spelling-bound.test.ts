import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestName, nearestSpelling } from "../../src/domain/spelling.ts";

test("A19-6: a word is compared with so many known ones, however many an author has written", () => {
  const many = Array.from({ length: 5_000 }, (_, index) => `name-${index}`);

  assert.equal(nearestSpelling("nmae-150", many), "name-150", "control: one of the first is found");
  assert.equal(nearestName("completely-else", [...many.slice(0, 300), "completely-else-1"])?.startsWith("name-"), true);
});
