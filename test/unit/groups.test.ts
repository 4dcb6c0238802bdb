import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
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

  test("AF3: have a first value that is found with few walks, however many before it were deleted", (t) => {
    const groups = new Groups<number>();
    for (let index = 0; index < 2_000; index += 1) groups.set("a", String(index), index);
    const walks = ["keys", "values", "entries"].map((name) => t.mock.method(Map.prototype, name as "values").mock);
    const firsts: (number | undefined)[] = [];
    for (let index = 0; index < 4_000; index += 1) {
      firsts.push(groups.first("a"));
      groups.delete("a", String(index));
      groups.set("a", String(2_000 + index), 2_000 + index);
    }
    const count = walks.reduce((sum, mock) => sum + mock.callCount(), 0);
    assert.ok(count >= 1 && count <= 3, `${count} walks over 2,000 values`);
    assert.deepEqual(firsts, [...firsts.keys()]);
  });

  test("AF3: have the first value that is left, as in a list, after any changes", () => {
    const change = fc.record({ key: fc.constantFrom("one", "two", "three", "four"), isDeleted: fc.boolean(), isAsked: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const groups = new Groups<number>();
        let list: readonly (readonly [string, number])[] = [];
        for (const [step, { key, isDeleted, isAsked }] of changes.entries()) {
          if (isDeleted) groups.delete("a", key);
          else groups.set("a", key, step);
          if (isDeleted) list = list.filter(([name]) => name !== key);
          else if (list.some(([name]) => name === key)) list = list.map((each) => (each[0] === key ? [key, step] : each));
          else list = [...list, [key, step]];
          if (isAsked) assert.equal(groups.first("a"), list[0]?.[1]);
        }
        assert.equal(groups.first("a"), list[0]?.[1]);
        assert.deepEqual(
          groups.keys("a"),
          list.map(([name]) => name),
        );
      }),
    );
  });
});
