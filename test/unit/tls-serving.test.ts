import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createHotSource } from "../../src/tls/hot-source.ts";
import { Wakeup } from "../../src/tls/wakeup.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

describe("the served certificate", () => {
  test("is exchanged under a running server, which is told", () => {
    const source = createHotSource(recordingLogger());
    const seen: (string | undefined)[] = [source.current()?.cert];
    source.onChange(() => seen.push(source.current()?.cert));

    source.swap({ cert: "first", key: "k" });
    source.swap({ cert: "second", key: "k" });

    assert.deepEqual(seen, [undefined, "first", "second"]);
  });

  test("reaches the other servers when one refuses it", () => {
    const logger = recordingLogger();
    const source = createHotSource(logger);
    let reported = 0;
    source.onChange(() => {
      throw new Error("no start line");
    });
    source.onChange(() => {
      reported += 1;
    });

    source.swap({ cert: "c", key: "k" });

    assert.equal(reported, 1);
    assert.deepEqual(
      logger.entries.map(({ level, fields }) => [level, fields["error"]]),
      [["error", "no start line"]],
    );
  });
});

describe("the wait between two looks", () => {
  test("ends when its time is over", async () => {
    const clock = new ManualClock();
    const wait = new Wakeup(clock).sleep(30_000, new AbortController().signal);

    await clock.advance(30_000);

    await wait;
  });

  test("ends at once when something changed, before or during the wait", async () => {
    const wakeup = new Wakeup(new ManualClock());
    const { signal } = new AbortController();
    wakeup.wake();
    await wakeup.sleep(30_000, signal);
    const wait = wakeup.sleep(30_000, signal);
    wakeup.wake();

    await wait;
  });

  test("is forgotten after it cut one wait short", async () => {
    const clock = new ManualClock();
    const wakeup = new Wakeup(clock);
    const { signal } = new AbortController();
    wakeup.wake();
    await wakeup.sleep(30_000, signal);
    let isOver = false;
    const wait = wakeup.sleep(30_000, signal).finally(() => {
      isOver = true;
    });

    await clock.advance(29_999);
    assert.equal(isOver, false);
    await clock.advance(1);
    await wait;
  });

  test("rejects with the reason of the stop", async () => {
    const controller = new AbortController();
    const wait = new Wakeup(new ManualClock()).sleep(30_000, controller.signal);
    controller.abort(new Error("stopped"));

    await assert.rejects(wait, /stopped/);
  });
});
