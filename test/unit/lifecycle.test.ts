import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import { following, within } from "../../src/runtime/lifecycle.ts";

const tooLate = (): Error => new Error("too late");

/** Never ends by itself. It rejects with the reason of its signal. */
function hanging(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Number of pending timers of this process. */
const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

describe("work within a bound", () => {
  test("leaves neither a timer nor a listener behind, however it ends", async () => {
    const before = timers();
    const outer = new AbortController();
    const bound = { milliseconds: 60_000, outer: outer.signal, tooLate };

    assert.equal(
      await within(bound, async () => {
        assert.equal(timers(), before + 1);
        assert.equal(getEventListeners(outer.signal, "abort").length, 1);
        return "done";
      }),
      "done",
    );
    await assert.rejects(
      within(bound, () => Promise.reject(new Error("failed"))),
      /failed/,
    );

    assert.equal(timers(), before);
    assert.equal(getEventListeners(outer.signal, "abort").length, 0);
  });

  test("is told of the bound by its signal, and of the outer signal with that one's reason", async () => {
    await assert.rejects(within({ milliseconds: 1, outer: undefined, tooLate }, hanging), /too late/);

    const outer = new AbortController();
    const running = within({ milliseconds: 60_000, outer: outer.signal, tooLate }, hanging);
    outer.abort(new Error("stopped"));
    await assert.rejects(running, /stopped/);
    await assert.rejects(within({ milliseconds: 60_000, outer: outer.signal, tooLate }, hanging), /stopped/);
  });

  test("follows an outer signal beside a controller of its own", async () => {
    const [outer, own] = [new AbortController(), new AbortController()];
    const running = following(outer.signal, own, hanging);
    own.abort(new Error("ended by itself"));
    await assert.rejects(running, /ended by itself/);
    assert.equal(getEventListeners(outer.signal, "abort").length, 0);

    const other = new AbortController();
    const followed = following(outer.signal, other, hanging);
    outer.abort(new Error("stopped"));
    await assert.rejects(followed, /stopped/);
    assert.equal(other.signal.aborted, true);
  });
});
