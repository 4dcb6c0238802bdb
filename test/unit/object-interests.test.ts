import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Interests } from "../../src/sync/vault/object-interests.ts";

function anInterests(): { readonly interests: Interests; readonly forgotten: string[] } {
  const forgotten: string[] = [];
  return { interests: new Interests({ onUnnamed: () => undefined, onForgotten: (classKey) => void forgotten.push(classKey) }), forgotten };
}

describe("a count of the objects that classes name", () => {
  test("forgets each class once it is overdue, and not before", () => {
    const { interests, forgotten } = anInterests();
    interests.name("ns/late", { keys: ["secret/a"], until: 300 }, 0);
    interests.name("ns/early", { keys: ["secret/b"], until: 100 }, 0);
    assert.deepEqual(
      [100, 101, 300, 301].map((now) => [interests.count("secret", now), [...forgotten]]),
      [
        [2, []],
        [1, ["ns/early"]],
        [1, ["ns/early"]],
        [0, ["ns/early", "ns/late"]],
      ],
    );
  });

  for (const until of [50, 200])
    test(`forgets a class at its latest time, ${until < 100 ? "earlier" : "later"} than the time before`, () => {
      const { interests } = anInterests();
      interests.name("ns/x", { keys: ["secret/a"], until: 100 }, 0);
      interests.keep("ns/x", until);
      assert.equal(interests.count("secret", until), 1);
      assert.equal(interests.count("secret", until + 1), 0);
    });
});
