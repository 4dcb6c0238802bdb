import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Registry } from "prom-client";
import type { FoundObject } from "../../src/domain/sync/object-status.ts";
import type { SecretStatus } from "../../src/domain/sync/status-fields.ts";
import { answerHints, currentHints } from "../../src/sync/push/answer-hints.ts";
import { type Hint, type HintNews, Hints } from "../../src/sync/push/hints.ts";
import { createPushMetrics, type PushMetrics } from "../../src/sync/push/push-metrics.ts";
import type { Mirror } from "../../src/sync/vault/mirror.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { CountedReads } from "./counted-reads.ts";

const CLASS = "team/shop";
const LONG_AGO = "2020-01-01T00:00:00Z";

let clock: ManualClock;
let metrics: PushMetrics;
let hints: Hints;
let ended: number;

const waiter = {
  ended: () => {
    ended += 1;
  },
};

function report(facts: Partial<HintNews> = {}): void {
  const news = { object: "secret/db", change: "NewVersionCreated", objects: 1, version: "v2", happenedAt: clock.now(), ...facts } as const;
  assert.ok(hints.add(CLASS, news, waiter));
}

function answered(objects?: readonly FoundObject[]): Mirror {
  const facts = { notFresh: undefined, checkedAt: clock.now(), retry: { kind: "backoff" }, secrets: [], warnings: [] } as const;
  return { kind: "answered", ...facts, ...(objects === undefined ? {} : { objects }) };
}

const mounted = (version: string, facts: Partial<FoundObject> = {}): FoundObject => ({
  object: "secret/DB",
  vault: "https://shop.vault.azure.net",
  version,
  updated: LONG_AGO,
  isPinned: false,
  ...facts,
});

function secretWith(version: string, object = "secret/DB"): SecretStatus {
  return { name: "db", state: "Synced", data: [{ key: "k", object, version, updated: LONG_AGO }] };
}

async function counted(outcome: string): Promise<number | undefined> {
  return (await metrics.hints.get()).values.find(({ labels }) => labels.outcome === outcome)?.value;
}

describe("R18-24: an answer to an event about changed access", () => {
  const refused: Mirror = { kind: "refused", reason: "Forbidden", message: "", retry: { kind: "never" } };
  const inPart: SecretStatus = { name: "db", state: "PartialSync", data: [{ key: "k", object: "secret/db", state: "Forbidden" }] };
  for (const [what, answer, secrets, checks] of [
    ["refuses the class", () => refused, [], 1],
    ["refuses an object of a Secret", () => answered(), [inPart], 1],
    ["refuses an object that is only mounted", () => answered([mounted("v1", { state: "Forbidden" })]), [], 1],
    ["refuses nothing", () => answered([mounted("v1")]), [secretWith("v1")], 0],
  ] as const) {
    test(`is looked for again where it ${what}: ${checks === 1 ? "yes" : "no"}`, () => {
      clock = new ManualClock();
      metrics = createPushMetrics(new Registry());
      hints = new Hints({ clock, metrics, enqueue: () => undefined });
      report({ object: "*", change: "AccessChanged", version: undefined });

      answerHints(hints, CLASS, { hints: hints.of(CLASS), answer: answer(), secrets });

      assert.equal(hints.of(CLASS).length, checks);
    });
  }
});

describe("an answer to an event", () => {
  beforeEach(() => {
    clock = new ManualClock();
    metrics = createPushMetrics(new Registry());
    hints = new Hints({ clock, metrics, enqueue: () => undefined });
    ended = 0;
  });

  for (const [what, object] of [
    ["a Secret", "secret/DB"],
    ["a history", "secret/DB/0"],
  ] as const)
    test(`that wrote the version into ${what} ends it`, async () => {
      report();
      answerHints(hints, CLASS, { hints: hints.of(CLASS), answer: answered(), secrets: [secretWith("v2", object)] });
      assert.equal(ended, 1);
      assert.equal(await counted("applied"), 1);
    });

  test("R18-10: of a class that is only mounted is looked for again while the vault shows the older version", () => {
    report();
    for (const wait of [1_000, 4_000, 15_000]) {
      answerHints(hints, CLASS, { hints: hints.of(CLASS), answer: answered([mounted("v1")]), secrets: [] });
      assert.equal(hints.of(CLASS)[0]?.dueAt, clock.now() + wait);
    }
    assert.equal(ended, 0);
  });

  test("R18-10: of a class that is only mounted ends it with the version that it tells of, and is no Secret's", async () => {
    report();
    answerHints(hints, CLASS, { hints: hints.of(CLASS), answer: answered([mounted("v2")]), secrets: [] });
    assert.deepEqual([ended, hints.of(CLASS)], [1, []]);
    assert.deepEqual([await counted("looked"), await counted("applied")], [1, 0]);
  });

  const after = (ms: number): string => new Date(clock.now() + ms).toISOString();
  const twice = (updated: string, version = "v1"): SecretStatus => {
    const { data, ...secret } = secretWith("v1");
    return { ...secret, data: [...data, { key: "old", object: "secret/db", version, updated }] };
  };
  for (const [what, objects, secrets, checks] of [
    ["was changed where it is pinned", () => undefined, () => [twice(after(1_300))], 1],
    ["is only mounted, and pinned", () => [mounted("v1"), mounted("v0", { isPinned: true, updated: after(1_300) })], () => [], 1],
    ["is only mounted, and was made before it", () => [mounted("v1", { created: 1, updated: after(1_300) })], () => [], 1],
    ["is another one (control)", () => undefined, () => [twice(after(1_300), "v3")], 0],
    ["is only mounted, and was made after it (control)", () => [mounted("v3", { created: clock.now() + 2_000 })], () => [], 0],
  ] as const)
    test(`RC-10: that shows a version whose attributes changed after the event is looked for again where it ${what}: ${checks === 1}`, () => {
      report();
      answerHints(hints, CLASS, { hints: hints.of(CLASS), answer: answered(objects()), secrets: secrets() });
      assert.equal(hints.of(CLASS).length, checks);
    });

  test("ends it where the class has nothing of the object", async () => {
    report({ object: "secret/other" });
    answerHints(hints, CLASS, { hints: hints.of(CLASS), answer: answered([mounted("v1")]), secrets: [] });
    assert.equal(ended, 1);
  });

  test("is known before it is asked for where the status has the version, of Secrets and of what is mounted", () => {
    report();
    const known = (objects?: readonly FoundObject[], ...secrets: readonly SecretStatus[]): number =>
      currentHints(hints.of(CLASS), { secrets, objects }).size;
    assert.equal(known(undefined, secretWith("v2")), 1);
    assert.equal(known(undefined, secretWith("v2"), secretWith("v1")), 0);
    assert.equal(known([mounted("v2")]), 1);
    assert.equal(known([mounted("v2", { state: "Unreachable" })]), 0);
    assert.equal(known([mounted("v1")]), 0);
    assert.equal(known(), 0);
  });

  /** Reads of properties of the stored keys, for a class with so many objects and as many events. */
  function readsOf(size: number, search: (asked: readonly Hint[], secrets: readonly SecretStatus[]) => void): number {
    hints = new Hints({ clock, metrics, enqueue: () => undefined });
    for (let index = 0; index < size; index += 1) report({ object: `secret/o${index}` });
    const reads = new CountedReads();
    const keys = Array.from({ length: size }, (_, index) => ({ key: `k${index}`, object: `secret/o${index}`, version: "v1" }));
    const secrets: readonly SecretStatus[] = [{ name: "s", state: "Synced", data: reads.ofEach(keys) }];
    search(hints.of(CLASS), secrets);
    return reads.count;
  }

  const searches = {
    "is answered": (asked: readonly Hint[], secrets: readonly SecretStatus[]) =>
      answerHints(hints, CLASS, { hints: asked, answer: answered(), secrets }),
    "is planned": (asked: readonly Hint[], secrets: readonly SecretStatus[]) => currentHints(asked, { secrets }),
  };
  for (const [what, search] of Object.entries(searches))
    test(`A18-4: of each of many objects of a class costs in proportion to their number where it ${what}`, () => {
      const [few, many] = [readsOf(60, search), readsOf(240, search)];
      assert.ok(few >= 60, `${few} reads of 60 keys: the search was not counted`);
      assert.ok(many <= few * 4.5, `${few} reads of 60 keys, ${many} of 240`);
    });
});
