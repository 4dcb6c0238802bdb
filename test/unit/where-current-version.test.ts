import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { currentVersionOf, type Sighting } from "../../src/domain/where/current-version.ts";

const seen = (version: string, at: number, updated?: number): Sighting => ({ version, at, updated });

describe("the newest known version", () => {
  for (const [name, sightings, expected] of [
    ["is none where nobody has any", [], undefined],
    ["is the only one", [seen("a", 1)], "a"],
    ["is the one that came last, whatever the ids are", [seen("z", 1), seen("a", 2), seen("z", 1)], "a"],
    ["is the one that came last although more have the other", [seen("old", 5), seen("old", 6), seen("new", 7)], "new"],
    ["of one second is the one that nobody had before", [seen("old", 3), seen("old", 9), seen("new", 9)], "new"],
    ["of one second is the one that the vault changed later", [seen("old", 9, 100), seen("new", 9, 200)], "new"],
    [
      "N6: is the one that the vault changed later, whoever was seen with the other since",
      [seen("old", 99, 100), seen("new", 9, 200)],
      "new",
    ],
    ["N6: is seen by whom the vault's times say nothing of", [seen("old", 99, 100), seen("new", 9, 200), seen("next", 50)], "next"],
    [
      "N6: is by the vault what it was before its attributes were changed",
      [seen("old", 1, 100), seen("old", 5, 300), seen("new", 3, 200)],
      "new",
    ],
    ["is not told where both came in one second", [seen("a", 9), seen("b", 9)], undefined],
  ] as const satisfies readonly (readonly [string, readonly Sighting[], string | undefined])[]) {
    test(name, () => {
      assert.equal(currentVersionOf(sightings)?.version, expected);
      assert.equal(currentVersionOf(sightings.toReversed())?.version, expected);
    });
  }
});
