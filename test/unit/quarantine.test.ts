import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { Quarantine } from "../../src/sync/quarantine.ts";
import type { FetchRequest, Mirror } from "../../src/sync/vault/mirror.ts";
import { AT_REST, TIMING } from "../support/fixtures/fetch-requests.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const signal = new AbortController().signal;
const GOOD: Mirror = { kind: "answered", notFresh: undefined, checkedAt: 0, retry: { kind: "backoff" }, secrets: [], warnings: [] };
const EVERYTHING: FetchRequest = { kind: "everything", ...TIMING, sharedMs: 0 };

/** Whether other classes are due. */
const OTHERS = (): boolean => true;
const NOBODY = (): boolean => false;

function aClass(
  name: string,
  changes: { readonly namespace?: string; readonly generation?: number; readonly refresh?: string } = {},
): SecretProviderClass {
  const { namespace = "team", generation = 1, refresh } = changes;
  const annotations = refresh === undefined ? {} : { [CLASS_ANNOTATIONS.refresh]: refresh };
  const metadata = { namespace, name, uid: `uid of ${name}`, generation, annotations };
  return { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass", metadata };
}

/** Workers that follow each other. Each gets the lease as the previous one left it. */
class Leaders {
  readonly clock = new ManualClock();
  lease: Readonly<Record<string, string>> = {};
  stores = 0;
  asked: string[] = [];
  quarantine = this.#start("0.4.0");

  /** Starts the next worker after the previous one died. */
  next(version = "0.4.0"): Quarantine {
    this.stores = 0;
    this.asked = [];
    this.quarantine = this.#start(version);
    return this.quarantine;
  }

  /** Makes the workers die of the class three times: once together with others, and twice alone. */
  async diedOf(provider: SecretProviderClass): Promise<void> {
    for (let deaths = 0; deaths < 3; deaths += 1) {
      await this.dieOf(provider);
      this.next();
    }
  }

  /** Ends the worker in the normal way. */
  stop(): void {
    this.quarantine.finish();
    this.#store();
  }

  mirror(provider: SecretProviderClass, fetchRequest = EVERYTHING): Promise<Mirror> {
    return this.#mirror(async () => GOOD)(provider, fetchRequest, signal);
  }

  /** Reconciles the classes in a process that dies of them: the fetch never ends. */
  dieOf(...providers: readonly SecretProviderClass[]): Promise<void> {
    return this.#dieOf(EVERYTHING, providers);
  }

  /** Does the same with a class that an earlier leader has synced. */
  dieAtRest(provider: SecretProviderClass): Promise<void> {
    return this.#dieOf(AT_REST, [provider]);
  }

  async #dieOf(fetchRequest: FetchRequest, providers: readonly SecretProviderClass[]): Promise<void> {
    let reached = 0;
    const never = this.#mirror(() => {
      reached += 1;
      return new Promise(() => undefined);
    });
    for (const provider of providers) void never(provider, fetchRequest, signal);
    for (let turn = 0; turn < 10 && reached < providers.length; turn += 1) await new Promise(setImmediate);
    assert.equal(reached, providers.length);
  }

  #mirror(inner: () => Promise<Mirror>) {
    return this.quarantine.guarded((provider) => {
      this.asked.push(provider.metadata.name);
      return inner();
    });
  }

  #store(): void {
    this.lease = { ...this.lease, ...this.quarantine.annotations() };
  }

  #start(version: string): Quarantine {
    const store = async (): Promise<void> => {
      this.stores += 1;
      this.#store();
    };
    const quarantine = new Quarantine({ version, clock: this.clock, logger: recordingLogger(), store });
    quarantine.begin([this.lease]);
    this.lease = { ...this.lease, ...quarantine.annotations() };
    return quarantine;
  }
}

describe("quarantine", () => {
  let leaders: Leaders;
  beforeEach(() => {
    leaders = new Leaders();
  });

  test("lets a class wait for all others after a death, and no longer than a minute", async () => {
    await leaders.dieOf(aClass("bomb"));
    const next = leaders.next();

    assert.equal(next.admit("team/other", OTHERS), 0);
    assert.ok(next.admit("team/bomb", OTHERS) > 0);
    assert.equal(next.admit("team/bomb", NOBODY), 0);
    next.end("team/bomb");
    await leaders.clock.advance(61_000);
    assert.equal(next.admit("team/bomb", OTHERS), 0);
  });

  test("lets suspects in one at a time, so that the deaths after the first are of one alone", async () => {
    await leaders.dieOf(aClass("bomb"), aClass("innocent"));
    const next = leaders.next();

    assert.equal(next.admit("team/innocent", NOBODY), 0);
    assert.ok(next.admit("team/bomb", NOBODY) > 0);
    await leaders.mirror(aClass("innocent"));
    next.end("team/innocent");
    assert.equal(next.admit("team/bomb", NOBODY), 0);
    await leaders.dieOf(aClass("bomb"));
    assert.equal(leaders.next().admit("team/bomb", NOBODY), 0);
    await leaders.dieOf(aClass("bomb"));

    leaders.next();
    const [bomb, innocent] = [await leaders.mirror(aClass("bomb")), await leaders.mirror(aClass("innocent"))];
    assert.equal(innocent.kind, "answered");
    assert.ok(bomb.kind === "refused");
    assert.deepEqual([bomb.reason, bomb.retry], ["InvalidClass", { kind: "after", milliseconds: 300_000 }]);
    assert.deepEqual(leaders.asked, ["innocent"]);
  });

  test("lets the least suspected in first, so that deaths of another cause do not all meet the same class", async () => {
    await leaders.dieOf(aClass("first"), aClass("second"));
    const next = leaders.next();
    assert.equal(next.admit("team/first", NOBODY), 0);
    await leaders.dieOf(aClass("first"));
    const third = leaders.next();

    assert.ok(third.admit("team/first", NOBODY) > 0);
    assert.equal(third.admit("team/second", NOBODY), 0);
    await leaders.mirror(aClass("second"));
    third.end("team/second");
    assert.equal(third.admit("team/first", NOBODY), 0);
  });

  for (const [what, changed, version] of [
    ["the class is edited", aClass("bomb", { generation: 2 }), "0.4.0"],
    ["its author asks for it", aClass("bomb", { refresh: "now" }), "0.4.0"],
    ["another version of the worker comes", aClass("bomb"), "0.4.1"],
  ] as const) {
    test(`ends when ${what}`, async () => {
      await leaders.diedOf(aClass("bomb"));
      assert.equal((await leaders.mirror(aClass("bomb"))).kind, "refused");

      leaders.next(version);

      assert.equal((await leaders.mirror(changed)).kind, "answered");
    });
  }

  test("B-10: is not evaded by an edit after each death: the class is tried last, alone, and after the fourth death only once in a while", async () => {
    const edited = (edits: number) => aClass("bomb", { refresh: String(edits) });
    await leaders.dieOf(edited(0));
    for (const edits of [1, 2, 3]) {
      const next = leaders.next();
      assert.ok(next.admit("team/bomb", OTHERS, edited(edits)) > 0, `edit ${edits} comes behind the others`);
      assert.equal(next.admit("team/bomb", NOBODY, edited(edits)), 0);
      await leaders.dieOf(edited(edits));
    }
    leaders.next();

    const pauses: unknown[] = [];
    for (const edits of [4, 5, 6]) {
      const refused = await leaders.mirror(edited(edits));
      assert.ok(refused.kind === "refused" && refused.retry.kind === "after", `edit ${edits}`);
      assert.doesNotMatch(refused.message, /change the class/);
      pauses.push(refused.retry.milliseconds / 60_000);
      await leaders.clock.advance(refused.retry.milliseconds);
      await leaders.dieOf(edited(edits));
      leaders.next();
    }
    assert.deepEqual(pauses, [5, 20, 80]);
  });

  test("B-10: tells a class that is as it was how soon an edit has it tried", async () => {
    await leaders.diedOf(aClass("bomb"));
    const first = await leaders.mirror(aClass("bomb"));
    await leaders.clock.advance(300_000);
    await leaders.dieOf(aClass("bomb"));
    leaders.next();
    const second = await leaders.mirror(aClass("bomb"));

    assert.ok(first.kind === "refused" && second.kind === "refused");
    assert.match(first.message, /to retry now, change the class/);
    assert.match(second.message, /to retry at \S+, change the class/);
  });

  test("B-10: keeps the count for other forms of a class that goes well in an edited one", async () => {
    const harmless = aClass("bomb", { generation: 2 });
    await leaders.dieOf(aClass("bomb"));
    leaders.next();
    await leaders.mirror(harmless);
    leaders.quarantine.end("team/bomb");

    assert.equal(leaders.quarantine.admit("team/bomb", OTHERS, harmless), 0);
    leaders.stop();
    assert.equal(leaders.next().admit("team/bomb", OTHERS, harmless), 0);
    assert.ok(leaders.quarantine.admit("team/bomb", OTHERS, aClass("bomb", { generation: 3 })) > 0);
    leaders.stop();
    await leaders.clock.advance(25 * 60 * 60_000);
    assert.equal(leaders.next().admit("team/bomb", OTHERS, aClass("bomb", { generation: 3 })), 0, "a day later");
  });

  test("B-10: counts the deaths that new classes of a namespace cause in turn, and leaves other namespaces and classes at rest alone", async () => {
    for (const name of ["one", "two", "three"]) {
      await leaders.dieOf(aClass(name));
      await leaders.clock.advance(1_000);
      leaders.next();
    }

    for (const name of ["four", "one"]) {
      const refused = await leaders.mirror(aClass(name));
      assert.ok(refused.kind === "refused" && refused.retry.kind === "after", name);
      assert.match(
        refused.message,
        /^the class is not synced: 3 workers crashed while handling new classes in its namespace\. The next attempt is at \S+$/,
      );
      assert.ok(refused.retry.milliseconds > 290_000);
    }
    assert.equal((await leaders.mirror(aClass("rests"), AT_REST)).kind, "answered");
    assert.equal((await leaders.mirror(aClass("innocent", { namespace: "elsewhere" }))).kind, "answered");

    await leaders.clock.advance(300_000);
    await leaders.dieOf(aClass("four"));
    leaders.next();
    const again = await leaders.mirror(aClass("five"));
    assert.ok(again.kind === "refused" && again.retry.kind === "after");
    assert.equal(again.retry.milliseconds, 1_200_000);
  });

  test("counts one death of many new classes of a namespace once, and none of classes at rest", async () => {
    await leaders.dieOf(...["one", "two", "three", "four"].map((name) => aClass(name)));
    leaders.next();
    assert.equal((await leaders.mirror(aClass("new"))).kind, "answered");
    leaders.quarantine.end("team/new");

    for (const name of ["a", "b", "c"]) {
      await leaders.clock.advance(1_000);
      await leaders.dieAtRest(aClass(name));
      leaders.next();
    }
    assert.equal((await leaders.mirror(aClass("newer"))).kind, "answered");
  });

  test("lasts from leader to leader, also over one that ends in order", async () => {
    await leaders.diedOf(aClass("bomb"));
    await leaders.clock.advance(200_000);
    leaders.stop();
    leaders.next();

    assert.equal((await leaders.mirror(aClass("bomb"))).kind, "refused");
    await leaders.clock.advance(99_000);
    assert.equal((await leaders.mirror(aClass("bomb"))).kind, "refused");
  });

  test("ends after a while: what died for other reasons is mirrored again, and suspected no more", async () => {
    await leaders.diedOf(aClass("innocent"));
    await leaders.clock.advance(300_000);

    assert.equal(leaders.quarantine.admit("team/innocent", NOBODY), 0);
    assert.equal((await leaders.mirror(aClass("innocent"))).kind, "answered");
    leaders.quarantine.end("team/innocent");
    assert.equal(leaders.next().admit("team/innocent", OTHERS), 0);
  });

  test("lasts longer with each death after that, and a day at most", async () => {
    await leaders.diedOf(aClass("bomb"));
    const pauses: number[] = [];
    for (let deaths = 0; deaths < 6; deaths += 1) {
      const refused = await leaders.mirror(aClass("bomb"));
      assert.ok(refused.kind === "refused" && refused.retry.kind === "after");
      pauses.push(refused.retry.milliseconds / 60_000);
      await leaders.clock.advance(refused.retry.milliseconds);
      assert.equal(leaders.quarantine.admit("team/bomb", NOBODY), 0);
      await leaders.dieOf(aClass("bomb"));
      leaders.next();
    }
    assert.deepEqual(pauses, [5, 20, 80, 320, 1_280, 1_440]);
  });

  test("believes no end that is further away than its own", async () => {
    await leaders.diedOf(aClass("bomb"));
    const [key = "", text = ""] = Object.entries(leaders.lease).flat();
    leaders.lease = { [key]: text.replace(/"until":\d+/, `"until":${leaders.clock.now() + 86_400_000}`) };
    leaders.next();

    const refused = await leaders.mirror(aClass("bomb"));
    assert.ok(refused.kind === "refused" && refused.retry.kind === "after");
    assert.equal(refused.retry.milliseconds, 300_000);
  });

  test("suspects nobody where a leader ends in order, or where a class went well", async () => {
    await leaders.mirror(aClass("good"));
    leaders.quarantine.end("team/good");
    leaders.stop();

    assert.equal(leaders.next().admit("team/good", OTHERS), 0);
  });

  test("writes the lease once for a class, and not for one at rest", async () => {
    const provider = aClass("good");
    await leaders.mirror(provider);
    await leaders.mirror(provider);
    assert.equal(leaders.stores, 1);

    await leaders.mirror(aClass("rests"), AT_REST);
    assert.equal(leaders.stores, 1);
  });

  test("writes it for one at rest as well after a leader has died, of what nobody noted", async () => {
    leaders.next();

    await leaders.mirror(aClass("rests"), AT_REST);

    assert.equal(leaders.stores, 1);
  });

  test("takes what is no note of ours for none", async () => {
    const [key = ""] = Object.keys(leaders.lease);
    for (const text of ["", "{", "[]", '{"version":"0.4.0","classes":{"team/a":{"deaths":"9"}}}', '{"version":"0.4.0","classes":7}']) {
      leaders.lease = { [key]: text };
      assert.equal(leaders.next().admit("team/a", OTHERS), 0, text);
    }
  });
});
