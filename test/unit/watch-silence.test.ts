import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { createApiContact } from "../../src/kube/contact.ts";
import type { Transport } from "../../src/kube/transport.ts";
import { watchEvents } from "../../src/kube/watch-stream.ts";
import { SettableClock } from "../support/time/settable-clock.ts";

const HOUR = 3_600_000;
const SECOND = 1_000;
const BOOKMARK = '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"5"}}}\n';

/** A stream with a bookmark at each of these seconds. It never ends by itself. */
function bookmarksAt(clock: SettableClock, seconds: readonly number[]): Transport {
  const stream = async function* (signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let passed = 0;
    for (const second of seconds) {
      await clock.sleep((second - passed) * SECOND, signal);
      passed = second;
      yield Buffer.from(BOOKMARK);
    }
    await clock.sleep(HOUR, signal);
  };
  const unused = async () => assert.fail("no call was expected");
  const open: Transport["open"] = async (_call, signal) => ({
    status: 200,
    retryAfter: undefined,
    chunks: stream(signal),
    text: async () => "",
  });
  return { call: unused, open };
}

/** Returns the seconds of real time after which a watch ends. `setAt`: the second at which the machine's clock is changed by `setBy`. */
async function watchLasts(setBy: number, setAt: number, seconds: readonly number[]): Promise<number> {
  const clock = new SettableClock();
  const begun = clock.monotonic();
  const request = { resource: RESOURCES.pods, resourceVersion: "1", timeoutSeconds: 590, idleMs: 75 * SECOND };
  const access = { transport: bookmarksAt(clock, seconds), clock, onAccepted: () => undefined };
  let ended: number | undefined;
  const over = (async () => {
    for await (const event of watchEvents(access, request, new AbortController().signal)) assert.equal(event.kind, "bookmark");
    ended = (clock.monotonic() - begun) / SECOND;
  })();
  await clock.advance(setAt * SECOND);
  clock.set(setBy);
  for (let second = 0; second < 700; second++) await clock.advance(SECOND);
  await over;
  return ended ?? Number.NaN;
}

describe("a watch on a machine whose clock is set", () => {
  test("R20-3: that is silent is given up after its bound of real time", async () => {
    assert.equal(await watchLasts(0, 1, [0]), 75, "the control");
    assert.equal(await watchLasts(-HOUR, 1, [0]), 75);
  });

  test("R20-3: that hears its bookmarks is kept", async () => {
    assert.equal(await watchLasts(HOUR, 61, [0, 60, 120]), 195);
  });
});

describe("the contact with the API server on a machine whose clock is set", () => {
  test("R20-3: is lost after its bound of real time, whichever way the clock was set", async () => {
    for (const setBy of [0, HOUR, -HOUR]) {
      const clock = new SettableClock();
      const contact = createApiContact(clock);
      contact.noteSilence();
      clock.set(setBy);
      await clock.advance(59 * SECOND);
      assert.equal(contact.problem(), undefined, `set by ${setBy}`);
      await clock.advance(2 * SECOND);
      assert.equal(contact.problem(), "no answer from the API server for 61s", `set by ${setBy}`);
    }
  });
});
