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

  test("AF3: have a first value that is found without a walk, however many before it were deleted", (t) => {
    const groups = new Groups<number>();
    for (let index = 0; index < 2_000; index += 1) groups.set("a", String(index), index);
    const walks = ["keys", "values", "entries"].map((name) => t.mock.method(Map.prototype, name as "values").mock);
    const firsts: (number | undefined)[] = [];
    for (let index = 0; index < 1_000; index += 1) {
      firsts.push(groups.first("a"));
      groups.delete("a", String(index));
      groups.set("a", String(2_000 + index), 2_000 + index);
    }
    assert.equal(
      walks.reduce((sum, mock) => sum + mock.callCount(), 0),
      0,
      "walks",
    );
    assert.deepEqual(firsts, [...firsts.keys()]);
  });

  test("AF3: have the first value that is left, after any changes", () => {
    const groups = new Groups<number>();
    assert.equal(groups.first("a"), undefined);
    groups.set("a", "one", 1);
    groups.set("a", "two", 2);
    assert.equal(groups.first("a"), 1);
    groups.set("a", "one", 3);
    assert.equal(groups.first("a"), 3, "a value that was replaced in its place");
    groups.delete("a", "one");
    groups.set("a", "one", 4);
    assert.equal(groups.first("a"), 2, "one that came again is last");
    groups.delete("a", "two");
    assert.equal(groups.first("a"), 4);
    groups.delete("a", "one");
    assert.equal(groups.first("a"), undefined);
    groups.set("a", "two", 5);
    assert.equal(groups.first("a"), 5);
  });
});
