import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ClassMemories } from "../../src/sync/classes/class-memory.ts";

describe("what the worker remembers of its warnings", () => {
  test("tells each matter once, and again when it has changed or been well in between", () => {
    const memories = new ClassMemories();
    assert.equal(memories.isNewWarning("team/demo", "mode", "bad mode"), true);
    assert.equal(memories.isNewWarning("team/demo", "mode", "bad mode"), false);
    assert.equal(memories.isNewWarning("team/demo", "interval", "bad interval"), true);
    assert.equal(memories.isNewWarning("team/demo", "mode", ""), false);
    assert.equal(memories.isNewWarning("team/demo", "mode", "bad mode"), true);
  });

  test("goes with the class: one that is made again with the same mistake is warned again, others are not", () => {
    const memories = new ClassMemories();
    memories.isNewWarning("team/demo", "mode", "bad mode");
    memories.isNewWarning("team/other", "mode", "bad mode");

    memories.forget("team/demo");

    assert.equal(memories.isNewWarning("team/demo", "mode", "bad mode"), true);
    assert.equal(memories.isNewWarning("team/other", "mode", "bad mode"), false);
  });
});
