import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { FairSlots } from "../../src/runtime/fair-slots.ts";

const signal = new AbortController().signal;

/** Work that the test ends, in the order in which it began. */
function someWork(slots: number) {
  const turns = new FairSlots(slots);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const take = (line: string, name: string, until = signal): Promise<void> =>
    turns.run(line, until, () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
  const end = async (): Promise<void> => {
    await nextTurn();
    ends.shift()?.();
    await nextTurn();
  };
  return { turns, begun, take, end };
}

describe("slots", () => {
  test("of one are taken in turns, by tenant, and of one tenant in the order of coming", async () => {
    const { begun, take, end } = someWork(1);
    const all = ["a1", "a2", "a3", "a4", "b1", "b2", "c1"].map((name) => take(name.slice(0, 1), name));
    for (const _ of all) await end();
    await Promise.all(all);
    assert.deepEqual(begun, ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]);
  });

  test("of two never go to one tenant, so that one is there for everybody else", async () => {
    const { begun, take, end } = someWork(2);
    const all = ["a1", "a2", "a3", "b1", "c1"].map((name) => take(name.slice(0, 1), name));
    await nextTurn();
    assert.deepEqual(begun, ["a1", "b1"]);
    for (const _ of all) await end();
    await Promise.all(all);
    assert.deepEqual(begun, ["a1", "b1", "a2", "c1", "a3"]);
  });

  test("go on where one failed, or was given up while it waited", async () => {
    const { turns, begun, take, end } = someWork(1);
    await assert.rejects(
      turns.run("a", signal, () => Promise.reject(new Error("no"))),
      /no/,
    );
    const stop = new AbortController();
    const [first, given, last] = [take("a", "first"), take("b", "given up", stop.signal), take("b", "last")];
    stop.abort(new Error("stopped"));
    await assert.rejects(given, /stopped/);
    await end();
    await end();
    await Promise.all([first, last]);
    assert.deepEqual(begun, ["first", "last"]);
    assert.equal(await turns.run("c", signal, async () => "free"), "free");
  });

  test("W15: that were released do not grow any more: nobody would give that back", async () => {
    const turns = new FairSlots(8);
    for (let round = 0; round < 8; round++) {
      const held = await turns.take({ tenant: "a", size: 1 }, signal);
      assert.equal(held.grow(2), true, `round ${round}`);
      held.release();
      assert.equal(held.grow(3), false);
    }
  });
});
