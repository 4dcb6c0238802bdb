import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ClassStates } from "../../src/sync/classes/class-states.ts";

describe("what the worker remembers of its warnings", () => {
  test("tells each matter once, and again when it has changed or been well in between", () => {
    const states = new ClassStates();
    assert.equal(states.isNewWarning("team/demo", "mode", "bad mode"), true);
    assert.equal(states.isNewWarning("team/demo", "mode", "bad mode"), false);
    assert.equal(states.isNewWarning("team/demo", "interval", "bad interval"), true);
    assert.equal(states.isNewWarning("team/demo", "mode", ""), false);
    assert.equal(states.isNewWarning("team/demo", "mode", "bad mode"), true);
  });

  test("A19-1: is as small for a long message as for a short one", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void; // The flag exposes it in this form.
    const states = new ClassStates();
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 100; index += 1) {
      const long = Buffer.alloc(500_000, 33 + index).toString("latin1");
      assert.equal(states.isNewWarning(`team/${index}`, "annotations", long), true);
      assert.equal(states.isNewWarning(`team/${index}`, "annotations", long), false);
    }
    collect();
    const grown = process.memoryUsage().heapUsed - before;
    assert.ok(grown < 10_000_000, `${grown} bytes of 50,000,000`);
    assert.equal(states.isNewWarning("team/1", "annotations", "another"), true);
  });

  test("goes with the class: one that is made again with the same mistake is warned again, others are not", () => {
    const states = new ClassStates();
    states.isNewWarning("team/demo", "mode", "bad mode");
    states.isNewWarning("team/other", "mode", "bad mode");

    states.forget("team/demo");

    assert.equal(states.isNewWarning("team/demo", "mode", "bad mode"), true);
    assert.equal(states.isNewWarning("team/other", "mode", "bad mode"), false);
  });
});
