import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Registry } from "prom-client";
import { type EventQueue, QueueError, type QueueMessage } from "../../src/domain/ports/event-queue.ts";
import type { VaultEvent } from "../../src/domain/vault-events/vault-event.ts";
import { TimeShare } from "../../src/runtime/time-share.ts";
import type { Dispatched } from "../../src/sync/push/event-dispatch.ts";
import { MOST_HINTS, type Waiter } from "../../src/sync/push/hints.ts";
import { EVENTS_SHARE } from "../../src/sync/push/push.ts";
import { createPushMetrics, type PushMetrics } from "../../src/sync/push/push-metrics.ts";
import { MOST_RECEIPTS, QueueReader, type QueueReaderOptions } from "../../src/sync/push/queue-reader.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { eventually } from "../support/time/eventually.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const EVENT = JSON.stringify({
  type: "Microsoft.KeyVault.SecretNewVersionCreated",
  time: "2026-01-01T00:00:00Z",
  data: { Id: "https://shop.vault.azure.net/secrets/db/1" },
});

let clock: ManualClock;
let metrics: PushMetrics;
let logger: ReturnType<typeof recordingLogger>;
let waiting: QueueMessage[];
let deleted: string[];
let received: number;
let failure: Error | undefined;
let dispatch: (event: VaultEvent, waiter: Waiter) => Dispatched;
/** Id of a message that the queue never deletes. */
let refusedId: string | undefined;
let opened: number;
let onOpen: () => void;
/** Receives the maximum number of messages of each receipt. */
let most: (given: number) => void;

const queue: EventQueue = {
  receive: async ({ most: given }) => {
    if (failure !== undefined) throw failure;
    most(given);
    received += 1;
    return waiting.splice(0, given);
  },
  delete: async ({ id, receipt }) => {
    if (failure !== undefined) throw failure;
    if (id === refusedId) throw new QueueError("Forbidden", "no right to delete", { kind: "backoff" });
    deleted.push(`${id} ${receipt}`);
    return true;
  },
  peek: async () => [],
};

function message(id: string, facts: Partial<QueueMessage> = {}): QueueMessage {
  return { id, receipt: "r1", text: EVENT, receipts: 1, ...facts };
}

async function counted(outcome: string): Promise<number | undefined> {
  return (await metrics.messages.get()).values.find(({ labels }) => labels.outcome === outcome)?.value;
}

async function reading(during: (reader: QueueReader) => Promise<void>, isReady: () => boolean = () => true): Promise<void> {
  const open = async (): Promise<EventQueue> => {
    opened += 1;
    onOpen();
    return queue;
  };
  const act: QueueReaderOptions["dispatch"] = async ({ event, waiter }) => dispatch(event, waiter);
  const options = { label: "q", open, isReady, dispatch: act, metrics, clock, logger, random: () => 0 };
  const reader = new QueueReader(options, new TimeShare(EVENTS_SHARE, () => clock.now()));
  const stop = new AbortController();
  const run = reader.run(stop.signal);
  try {
    await during(reader);
  } finally {
    stop.abort(new Error("the test is over"));
    await run;
  }
}

/** Waits for the condition while the test moves the clock. */
function until(what: string, condition: () => boolean): Promise<unknown> {
  return eventually(
    async () => {
      await clock.advance(100);
      return condition();
    },
    { what, every: 1 },
  );
}

describe("the reader of an event queue", () => {
  beforeEach(() => {
    clock = new ManualClock();
    metrics = createPushMetrics(new Registry());
    logger = recordingLogger();
    [waiting, deleted, received, failure, opened, refusedId] = [[], [], 0, undefined, 0, undefined];
    dispatch = () => ({ outcome: "unnamed", waits: 0 });
    onOpen = () => undefined;
    most = () => undefined;
  });

  test("deletes a message when all looks that it has asked for have ended, and not before", async () => {
    let waiter: Waiter | undefined;
    dispatch = (_, given) => {
      waiter = given;
      return { outcome: "acted", waits: 2 };
    };
    waiting.push(message("m"));
    await reading(async (reader) => {
      await until("the message in hand", () => reader.inHand === 1 && waiter !== undefined);
      waiter?.ended();
      const before = received;
      await until("more turns", () => received > before + 2);
      assert.deepEqual(deleted, []);
      waiter?.ended();
      await until("the deletion", () => deleted.length === 1);
    });
  });

  test("N12: receives what is new before it has deleted all that ended together, and while a deletion fails", async () => {
    const waiters: Waiter[] = [];
    let acted = 0;
    dispatch = (_, given) => {
      acted += 1;
      waiters.push(given);
      return { outcome: "acted", waits: 1 };
    };
    waiting = Array.from({ length: 400 }, (_, index) => message(String(index)));
    await reading(async () => {
      await until("all messages in hand", () => waiters.length === 400);
      for (const waiter of waiters) waiter.ended();
      waiting.push(message("new"));
      await until("the new message", () => acted === 401);
      assert.ok(deleted.length <= 64, `behind ${deleted.length} deletions`);
      await until("all deletions", () => deleted.length === 400);
      refusedId = "new";
      waiters.at(-1)?.ended();
      waiting.push(message("newer"));
      await until("the newer message", () => acted === 402);
      assert.deepEqual(
        (await metrics.isUp.get()).values.map(({ value }) => value),
        [0],
        "and says that the queue takes no deletion",
      );
    });
  });

  test("deletes by the last receipt a message that came again meanwhile, and acts on it once", async () => {
    let waiter: Waiter | undefined;
    let acted = 0;
    dispatch = (_, given) => {
      waiter = given;
      acted += 1;
      return { outcome: "acted", waits: 1 };
    };
    waiting.push(message("m"));
    await reading(async (reader) => {
      await until("the message in hand", () => reader.inHand === 1);
      waiting.push(message("m", { receipt: "r2", receipts: 2 }));
      await until("the second receipt", () => waiting.length === 0).then(() => waiter?.ended());
      await until("the deletion", () => deleted.length > 0);
    });
    assert.deepEqual(deleted, ["m r2"]);
    assert.equal(acted, 1);
  });

  test("CW-3: deletes a message that was received too often, and never acts on what may crash it once more", async () => {
    const events: VaultEvent[] = [];
    dispatch = (event) => ({ outcome: "acted", waits: events.push(event) });
    waiting.push(message("last", { receipts: MOST_RECEIPTS }), message("m", { receipts: MOST_RECEIPTS + 1 }));
    await reading(() => until("the deletion", () => deleted.length === 1).then(() => undefined));
    assert.deepEqual(deleted, ["m r1"]);
    assert.equal(events.length, 1, "only on the one that was not received too often (control)");
    assert.deepEqual([await counted("poison"), await counted("acted")], [1, 1]);
    assert.equal(logger.entries.at(-1)?.message, "deleting messages of an event queue without processing them");
  });

  test("has not received a message too often that waited for its look as long as it may, under another reader", async () => {
    dispatch = () => ({ outcome: "acted", waits: 1 });
    // Ten minutes, with one receipt every half minute.
    waiting.push(message("m", { receipts: 21 }));
    await reading((reader) => until("the look", () => reader.inHand === 1).then(() => undefined));
    assert.deepEqual([deleted, await counted("poison")], [[], 0]);
  });

  test("goes on behind a message that it fails on, which it does not keep for ever", async () => {
    dispatch = () => {
      throw new Error("a bug");
    };
    waiting.push(message("m"), message("n", { text: "nonsense" }));
    await reading(async (reader) => {
      await until("the other's deletion", () => deleted.length === 1);
      assert.equal(reader.inHand, 0);
      waiting.push(message("m", { receipt: "r9", receipts: MOST_RECEIPTS + 1 }));
      await until("its deletion", () => deleted.length === 2);
    });
    assert.deepEqual(deleted, ["n r1", "m r9"]);
    assert.equal(await counted("malformed"), 1);
  });

  test("leaves messages in the queue while too many looks are under way", async () => {
    dispatch = () => ({ outcome: "acted", waits: 1 });
    const most = 2 * MOST_HINTS;
    for (let index = 0; index < most + 1_000; index += 1) waiting.push(message(`m${index}`));
    await reading(async (reader) => {
      await until("as many as it takes", () => reader.inHand === most);
      const before = received;
      for (let turns = 0; turns < 20; turns += 1) await clock.advance(1_000);
      assert.equal(received, before);
      assert.equal(waiting.length, 1_000);
    });
  });

  test("A18-5: lets others have the thread between two messages of one answer", async () => {
    const acts: string[] = [];
    dispatch = () => {
      acts.push("message");
      setImmediate(() => acts.push("another"));
      return { outcome: "unnamed", waits: 0 };
    };
    waiting.push(message("m"), message("n"), message("o"));
    await reading(() => until("the deletions", () => deleted.length === 3).then(() => undefined));
    assert.deepEqual(acts, ["message", "another", "message", "another", "message", "another"]);
  });

  test("A18-7: asks a queue that always has messages 50 times a second at the most", async () => {
    most = (given) => {
      for (let index = waiting.length; index < given; index += 1) waiting.push(message(`m${received} ${index}`));
    };
    await reading(async () => {
      await until("the first look", () => received > 0);
      const before = received;
      for (let turns = 0; turns < 1_000; turns += 1) await clock.advance(1);
      assert.ok(received > before && received <= before + 50, `${received - before} times in a second`);
    });
  });

  test("takes nothing while classes may not be acted on", async () => {
    let isReady = false;
    waiting.push(message("m"));
    await reading(
      async () => {
        for (let turns = 0; turns < 20; turns += 1) await clock.advance(1_000);
        assert.equal(received, 0);
        isReady = true;
        await until("the deletion", () => deleted.length === 1);
      },
      () => isReady,
    );
  });

  test("asks a queue that fails less and less often, tells of it once, and signs in anew where it is refused", async () => {
    failure = new QueueError("Unauthorized", "the token is not accepted", { kind: "backoff" });
    await reading(async (reader) => {
      for (let seconds = 0; seconds < 300; seconds += 1) await clock.advance(1_000);
      assert.ok(opened >= 5 && opened <= 20, `${opened} times in five minutes`);
      assert.match(reader.problem ?? "", /^q: the token is not accepted$/);
      failure = undefined;
      waiting.push(message("m"));
      await until("the deletion", () => deleted.length === 1);
      assert.equal(reader.problem, undefined);
    });
    assert.equal(logger.entries.filter(({ message: said }) => said.startsWith("an event queue cannot be read")).length, 1);
    assert.equal(logger.entries.filter(({ message: said }) => said === "an event queue can be read again").length, 1);
  });

  for (const code of ["Forbidden", "NotFound", "Unauthorized", "IdentityUnavailable", "Invalid"] as const)
    test(`R18-11: finds anew who it is at a queue that refuses it, and is read as whom its Secret names by then: ${code}`, async () => {
      failure = new QueueError(code, "may not", { kind: "backoff" });
      await reading(async (reader) => {
        await until("the refusal", () => reader.problem !== undefined);
        const before = opened;
        // From now on, a new queue is opened with an identity that has permission.
        onOpen = () => {
          failure = undefined;
        };
        waiting.push(message("m"));
        await until("the deletion", () => deleted.length === 1);
        assert.ok(opened > before);
      });
    });

  test("keeps its sign-in where the queue does not answer, is busy, or answers too much", async () => {
    await reading(async () => {
      await until("the first look", () => received > 0);
      for (const code of ["Unreachable", "Faulty", "Throttled", "TooLarge"] as const) {
        failure = new QueueError(code, code, { kind: "backoff" });
        const reported = logger.entries.length;
        await until(code, () => logger.entries.length > reported);
      }
    });
    assert.equal(opened, 1);
  });

  test("A18-7: takes a few messages at a time where those of one answer were too large, so that they do not come for ever", async () => {
    const asked: number[] = [];
    most = (given) => {
      asked.push(given);
      if (given > 4 && waiting.length > 0) throw new QueueError("TooLarge", "too large", { kind: "backoff" });
    };
    for (let index = 0; index < 32; index += 1) waiting.push(message(`m${index}`));
    await reading(async () => {
      await until("all deletions", () => deleted.length === 32);
      assert.deepEqual(asked.slice(0, 3), [32, 4, 4]);
      await clock.advance(120_000);
      const before = asked.length;
      await until("the next look", () => asked.length > before);
      assert.equal(asked.at(-1), 32);
    });
  });

  test("waits as long as a busy account asks for, within five minutes", async () => {
    failure = new QueueError("Throttled", "busy", { kind: "after", milliseconds: 3_600_000 });
    await reading(async () => {
      await until("the refusal", () => logger.entries.length > 0);
      failure = undefined;
      await clock.advance(290_000);
      assert.equal(received, 0);
      await clock.advance(20_000);
      await until("the next look", () => received > 0);
    });
  });
});

test("AT20-9c: the pages say after how many deliveries a message is deleted", () => {
  for (const page of ["docs/security/threat-model.md", "docs/reference/logs.md"])
    assert.deepEqual(readRepositoryFile(page).match(/after \S+ deliveries/g), [`after ${MOST_RECEIPTS} deliveries`], page);
});
