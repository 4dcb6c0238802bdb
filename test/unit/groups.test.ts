import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Groups } from "../../src/domain/groups.ts";

describe("groups", () => {
  test("have their values in the order in which they came, one for each key", () => {
    const groups = new Groups<number>();
    groups.set("a", "one", 1);
    groups.set("a", "two", 2);
    groups.set("b", "one", 3);
    groups.set("a", "one", 4);

    assert.deepEqual([groups.of("a"), groups.of("b"), groups.of("c")], [[4, 2], [3], []]);
    assert.deepEqual([groups.get("a", "two"), groups.get("b", "two"), groups.get("c", "one")], [2, undefined, undefined]);
  });

  test("are none without a value", () => {
    const groups = new Groups<number>();
    groups.set("a", "one", 1);
    groups.set("a", "two", 2);
    groups.delete("a", "one");
    assert.deepEqual([groups.has("a"), groups.names()], [true, ["a"]]);

    groups.delete("a", "two");
    groups.delete("a", "two");
    groups.delete("b", "one");

    assert.deepEqual([groups.has("a"), groups.names()], [false, []]);
  });
});
