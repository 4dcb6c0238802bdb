import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Registry } from "prom-client";
import { type Hint, type HintNews, Hints, MOST_HINTS, REFUSED_OBJECTS } from "../../src/sync/push/hints.ts";
import { createPushMetrics, type PushMetrics } from "../../src/sync/push/push-metrics.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const CLASS = "team/shop";

let clock: ManualClock;
let metrics: PushMetrics;
let queued: string[];
let hints: Hints;
let ended: number;

const waiter = {
  ended: () => {
    ended += 1;
  },
};

function news(facts: Partial<HintNews> = {}): HintNews {
  return { object: "secret/db", change: "NewVersionCreated", objects: 1, version: "v1", happenedAt: 1_000, ...facts };
}

function only(): Hint {
  const [hint, ...more] = hints.of(CLASS);
  assert.deepEqual(more, []);
  return hint ?? assert.fail("no hint");
}

async function counted(outcome: string): Promise<number | undefined> {
  return (await metrics.hints.get()).values.find(({ labels }) => labels.outcome === outcome)?.value;
}

describe("what events say of a class", () => {
  beforeEach(() => {
    clock = new ManualClock();
    metrics = createPushMetrics(new Registry());
    queued = [];
    ended = 0;
    hints = new Hints({ clock, metrics, enqueue: (key) => queued.push(key) });
  });

  test("brings the class forward once, however often the same event comes, and all who told of it wait for the one look", async () => {
    for (let times = 0; times < 5; times += 1) assert.ok(hints.add(CLASS, news(), waiter));
    assert.deepEqual(queued, [CLASS]);
    hints.applied(CLASS, only());
    assert.equal(ended, 5);
    assert.equal(await counted("applied"), 1);
    assert.deepEqual(hints.of(CLASS), []);
  });

  test("is no news any more once it was looked at", () => {
    hints.add(CLASS, news(), waiter);
    hints.end(CLASS, only(), "looked");
    assert.equal(hints.add(CLASS, news(), waiter), false);
    assert.deepEqual(hints.of(CLASS), []);
    // Another class has not checked the object yet.
    assert.equal(hints.add("team/other", news(), waiter), true);
  });

  test("needs a look of its own where it comes while another one is under way", () => {
    hints.add(CLASS, news(), waiter);
    const underWay = only();
    hints.add(CLASS, news({ version: "v2", happenedAt: 2_000 }), waiter);
    hints.applied(CLASS, underWay);
    assert.equal(only().version, "v2");
    assert.equal(ended, 1, "the later one alone waits for the look that sees both");
    hints.applied(CLASS, only());
    assert.equal(ended, 2);
  });

  test("waits for the later of two that come in the wrong order", () => {
    hints.add(CLASS, news({ version: "v2", happenedAt: 2_000 }), waiter);
    let endedEarlier = 0;
    hints.add(CLASS, news({ version: "v1", happenedAt: 1_000 }), { ended: () => void (endedEarlier += 1) });
    assert.equal(only().version, "v2");
    assert.deepEqual([endedEarlier, ended], [1, 0], "the message of the later one is kept");
  });

  test("is looked for again after a second, four and fifteen, then left to the poll", async () => {
    hints.add(CLASS, news(), waiter);
    for (const wait of [1_000, 4_000, 15_000]) {
      hints.again(CLASS, only());
      assert.equal(only().dueAt, clock.now() + wait);
    }
    hints.again(CLASS, only());
    assert.deepEqual(hints.of(CLASS), []);
    assert.equal(ended, 1);
    assert.equal(await counted("leftToPoll"), 1);
  });

  test("stays while its vault gives no answer, for ten minutes", async () => {
    hints.add(CLASS, news(), waiter);
    for (let minutes = 0; minutes < 9; minutes += 1) {
      hints.unanswered(CLASS, only());
      await clock.advance(60_000);
      hints.expire();
    }
    assert.equal(only().checks, 0);
    await clock.advance(60_000);
    hints.expire();
    assert.deepEqual(hints.of(CLASS), []);
    assert.equal(ended, 1);
  });

  test("has fifty looks of a class at once and one a second, and another class its own", async () => {
    hints.add(CLASS, news({ object: "secret/fifty", objects: 50 }), waiter);
    hints.began(CLASS, [only()]);
    hints.end(CLASS, only(), "looked");
    hints.add(CLASS, news(), waiter);
    assert.equal(only().dueAt, clock.now() + 1_000);
    hints.add("team/other", news(), waiter);
    assert.equal(hints.of("team/other")[0]?.dueAt, clock.now());
    await clock.advance(60_000);
    hints.add(CLASS, news({ object: "secret/other" }), waiter);
    assert.equal(hints.of(CLASS)[1]?.dueAt, clock.now());
  });

  test("RC-7: waits behind no look at what was refused, however many objects that has asked for", async () => {
    hints.add(CLASS, news({ object: REFUSED_OBJECTS, change: "AccessChanged", objects: 700, version: undefined }), waiter);
    hints.began(CLASS, [only()]);
    hints.end(CLASS, only(), "looked");
    await clock.advance(5_000);

    hints.add(CLASS, news(), waiter);
    hints.add(CLASS, news({ object: REFUSED_OBJECTS, change: "AccessChanged", version: undefined, happenedAt: 6_000 }), waiter);

    const [version, access] = hints.of(CLASS);
    assert.equal(version?.dueAt, clock.now());
    assert.equal(access?.dueAt, clock.now() + 646_000, "the next one of access waits (control)");
  });

  test("R18-2: of one object keeps one message, however many versions it gets while its vault gives no answer", () => {
    let given = 0;
    for (let version = 0; version < 3_000; version += 1) {
      given += 1;
      hints.add(CLASS, news({ version: `v${version}`, happenedAt: version }), waiter);
      hints.unanswered(CLASS, only());
    }
    assert.equal(only().version, "v2999");
    assert.equal(given - ended, 1);
  });

  test("R18-2: of one namespace have half of the room at the most, beyond which its oldest are left to polls", async () => {
    const addTo = (namespace: string, from: number, count: number): void => {
      for (let index = from; index < from + count; index += 1) hints.add(`${namespace}/shop`, news({ object: `secret/o${index}` }), waiter);
    };
    addTo("dead", 0, MOST_HINTS);
    const kept = hints.of("dead/shop");
    assert.equal(kept.length, MOST_HINTS / 2);
    assert.equal(kept[0]?.object, `secret/o${MOST_HINTS / 2}`);
    assert.equal(ended, MOST_HINTS / 2);
    assert.equal(await counted("leftToPoll"), MOST_HINTS / 2);
    // A new namespace finds room. A namespace that holds more than its new share gives up the excess with its next hints.
    addTo("other", 0, 3_000);
    assert.ok(hints.of("other/shop").length > 2_000, `${hints.of("other/shop").length} of 3,000`);
    addTo("dead", MOST_HINTS, 1);
    assert.ok(hints.of("dead/shop").length <= MOST_HINTS / 2 - 500, `${hints.of("dead/shop").length}`);
    assert.ok(hints.of("dead/shop").some(({ object }) => object === `secret/o${MOST_HINTS}`));
  });

  test("CW-4: end the oldest by receipt where a namespace has no room, and not one that a newer event has just renewed", () => {
    const objectsOf = (): readonly string[] => hints.of(CLASS).map(({ object }) => object);
    for (let index = 0; index < MOST_HINTS / 2; index += 1) hints.add(CLASS, news({ object: `secret/o${index}` }), waiter);
    // Neither a further look nor the same event once more renews a hint.
    for (const hint of hints.of(CLASS).slice(1, 3)) hints.again(CLASS, hint);
    hints.add(CLASS, news({ object: "secret/o1" }), waiter);
    hints.add(CLASS, news({ object: "secret/o0", version: "v2", happenedAt: 2_000 }), waiter);

    hints.add(CLASS, news({ object: "secret/late" }), waiter);

    assert.ok(objectsOf().includes("secret/o0"), "the renewed one stays");
    assert.equal(objectsOf().includes("secret/o1"), false, "the oldest goes");
    assert.ok(objectsOf().includes("secret/o2"), "and no other (control)");
  });

  test("R18-2: of a thousand namespaces that fill the room, leave some for the next one", () => {
    for (let namespace = 0; namespace < 1_000; namespace += 1)
      for (let index = 0; index < 20; index += 1) hints.add(`n${namespace}/shop`, news({ object: `secret/o${index}` }), waiter);
    hints.add("late/shop", news(), waiter);
    assert.equal(hints.of("late/shop").length, 1);
  });

  test("AF3: begins to walk through a long list for hardly any event, however many have ended or found no room", (t) => {
    let walks = 0;
    for (const [list, name] of [
      [Set.prototype, Symbol.iterator],
      [Map.prototype, "keys"],
      [Map.prototype, "values"],
    ] as const) {
      const real = (list as Set<unknown>)[name as "keys"];
      t.mock.method(list as Set<unknown>, name as "keys", function (this: Set<unknown>) {
        if (this.size > 1_000) walks += 1;
        return real.call(this);
      });
    }
    for (let index = 0; index < 30_000; index += 1) {
      hints.add(`team/c${index % 5_000}`, news({ version: `v${index}`, happenedAt: index }), waiter);
    }
    assert.ok(walks <= 30, `${walks} walks for 30,000 events`);
    assert.ok(ended > 20_000, `more have ended than are remembered (control): ${ended}`);
    assert.equal(hints.add("team/c0", news({ version: "v25000", happenedAt: 25_000 }), waiter), false, "the last ones are known (control)");
  });

  test("measures from the vault's time to the Secret, and never less than nothing", async () => {
    hints.add(CLASS, news({ happenedAt: clock.now() - 1_500 }), waiter);
    hints.applied(CLASS, only());
    hints.add(CLASS, news({ happenedAt: clock.now() + 90_000 }), waiter);
    hints.applied(CLASS, only());
    const { values } = await metrics.lag.get();
    const of = (name: string) => values.find(({ metricName }) => metricName?.endsWith(name))?.value;
    assert.equal(of("_count"), 2);
    assert.equal(of("_sum"), 1.5);
  });
});
