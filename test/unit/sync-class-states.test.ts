import assert from "node:assert/strict";
import { describe, test } from "node:test";
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

  test("goes with the class: one that is made again with the same mistake is warned again, others are not", () => {
    const states = new ClassStates();
    states.isNewWarning("team/demo", "mode", "bad mode");
    states.isNewWarning("team/other", "mode", "bad mode");

    states.forget("team/demo");

    assert.equal(states.isNewWarning("team/demo", "mode", "bad mode"), true);
    assert.equal(states.isNewWarning("team/other", "mode", "bad mode"), false);
  });
});
