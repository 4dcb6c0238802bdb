import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Registry } from "prom-client";
import type { EventQueue, QueueMessage } from "../../src/domain/ports/event-queue.ts";
import { TimeShare } from "../../src/runtime/time-share.ts";
import { EVENTS_SHARE } from "../../src/sync/push/push.ts";
import { createPushMetrics } from "../../src/sync/push/push-metrics.ts";
import { QueueReader } from "../../src/sync/push/queue-reader.ts";
import { eventually } from "../support/time/eventually.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

/** A clock on which messages take time. */
class BusyClock extends ManualClock {
  spent = 0;

  override now(): number {
    return super.now() + this.spent;
  }
}

const EVENT = JSON.stringify({
  type: "Microsoft.KeyVault.SecretNewVersionCreated",
  time: "2026-01-01T00:00:00Z",
  data: { Id: "https://shop.vault.azure.net/secrets/db/1" },
});

let clock: BusyClock;
let logger: ReturnType<typeof recordingLogger>;
/** Numbers of messages that the reader asked for. */
let asked: number[];
let deleted = 0;
/** Times at which the reader acted on a message. */
let acts: number[];

/** Reads a queue that has so many messages, each of which takes so many milliseconds. */
async function reading({ count, took }: { readonly count: number; readonly took: number }, during: () => Promise<unknown>): Promise<void> {
  let given = 0;
  const queue: EventQueue = {
    receive: async ({ most }) => {
      asked.push(most);
      const messages = Array.from({ length: Math.min(most, count - given) }, (_, index): QueueMessage => {
        return { id: `m${given + index}`, receipt: "r", text: EVENT, receipts: 1 };
      });
      given += messages.length;
      return messages;
    },
    delete: async () => (deleted += 1) > 0,
    peek: async () => [],
  };
  const dispatch: ConstructorParameters<typeof QueueReader>[0]["dispatch"] = async () => {
    acts.push(clock.now());
    clock.spent += took;
    return { outcome: "unnamed", waits: 0 };
  };
  const metrics = createPushMetrics(new Registry());
  const options = { label: "q", open: async () => queue, isReady: () => true, dispatch, metrics, clock, logger, random: () => 0 };
  const stop = new AbortController();
  const run = new QueueReader(options, new TimeShare(EVENTS_SHARE, () => clock.now())).run(stop.signal);
  try {
    await during();
  } finally {
    stop.abort(new Error("the test is over"));
    await run;
  }
}

/** Waits for the condition while the test moves the clock by so many milliseconds at a time. */
function until(what: string, condition: () => boolean, milliseconds = 100): Promise<unknown> {
  return eventually(
    async () => {
      await clock.advance(milliseconds);
      return condition();
    },
    { what, every: 1 },
  );
}

describe("AF3: the thread that events take", () => {
  beforeEach(() => {
    [clock, logger] = [new BusyClock(), recordingLogger()];
    [asked, deleted, acts] = [[], 0, []];
  });

  for (const took of [5, 25, 150])
    test(`AF3: is a fifth where messages never end, and none is hidden for longer than it needs: ${took} ms each`, async () => {
      await reading({ count: Number.POSITIVE_INFINITY, took }, async () => {
        await until("all that was saved is used", () => clock.spent > 2_000);
        const [spent, now, before] = [clock.spent, clock.now(), acts.length];
        await until("many more", () => acts.length >= before + 300);
        const share = (clock.spent - spent) / (clock.now() - now);
        assert.ok(share <= 0.23, `messages took ${share} of the time`);
        assert.ok(share >= 0.05, `and not far less (control): ${share}`);
        const largest = Math.max(...asked.slice(5));
        assert.ok(largest * took * 5 <= 15_000, `${largest} messages of one answer take ${largest * took * 5} ms`);
      });
    });

  test("AF3: is theirs without a pause if they are few, however many classes they concern", async () => {
    await reading({ count: 4, took: 100 }, () => until("all messages", () => acts.length === 4, 0));
    assert.deepEqual(
      acts.map((time) => time - (acts[0] ?? 0)),
      [0, 100, 200, 300],
    );
  });

  test("AF3: is theirs no longer once the signal has aborted in a pause", async () => {
    await reading({ count: 100, took: 150 }, () => until("a pause", () => acts.length > 3, 0));
    const before = acts.length;
    for (let turns = 0; turns < 20; turns += 1) await clock.advance(1_000);
    assert.deepEqual([acts.length, deleted], [before, 0]);
    assert.ok(before < 32, `in the middle of an answer (control): ${before}`);
    assert.deepEqual(logger.entries, []);
  });
});
