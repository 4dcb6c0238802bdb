import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { Quarantine } from "../../src/sync/quarantine.ts";
import type { Mirror } from "../../src/sync/vault/mirror.ts";
import type { Question } from "../../src/sync/vault/vault-question.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { recordingLogger } from "../support/recording-logger.ts";

const signal = new AbortController().signal;
const GOOD: Mirror = { kind: "answered", notFresh: undefined, checkedAt: 0, retry: { kind: "backoff" }, secrets: [], warnings: [] };
const timing = { due: 0, interval: 1, credentialsMs: 0 };
const EVERYTHING: Question = { kind: "everything", ...timing, sharedMs: 0 };
const AT_REST: Question = { kind: "changes", ...timing, intact: new Set(), checked: 0, stored: [{ name: "s", state: "Synced", data: [] }] };

function aClass(name: string, changes: { readonly generation?: number; readonly refresh?: string } = {}): SecretProviderClass {
  const { generation = 1, refresh } = changes;
  const annotations = refresh === undefined ? {} : { [CLASS_ANNOTATIONS.refresh]: refresh };
  const metadata = { namespace: "team", name, uid: `uid of ${name}`, generation, annotations };
  return { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass", metadata };
}

/** One worker after the other, each with the lease as the one before left it. */
class Leaders {
  readonly clock = new ManualClock();
  lease: Readonly<Record<string, string>> = {};
  stores = 0;
  asked: string[] = [];
  quarantine = this.#start("0.4.0");

  /** The one before has died. */
  next(version = "0.4.0"): Quarantine {
    this.stores = 0;
    this.asked = [];
    this.quarantine = this.#start(version);
    return this.quarantine;
  }

  /** It has died of the class three times: once in company, and twice alone. */
  async diedOf(provider: SecretProviderClass): Promise<void> {
    for (let deaths = 0; deaths < 3; deaths += 1) {
      await this.dieOf(provider);
      this.next();
    }
  }

  /** It has ended in order. */
  stop(): void {
    this.quarantine.finish();
    this.#store();
  }

  mirror(provider: SecretProviderClass, question = EVERYTHING): Promise<Mirror> {
    return this.#mirror(async () => GOOD)(provider, question, signal);
  }

  /** As of a process that dies of it: the mirror never comes to an end. */
  async dieOf(...providers: readonly SecretProviderClass[]): Promise<void> {
    let reached = 0;
    const never = this.#mirror(() => {
      reached += 1;
      return new Promise(() => undefined);
    });
    for (const provider of providers) void never(provider, EVERYTHING, signal);
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
    quarantine.begin(this.lease);
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

    assert.equal(next.admit("team/other", 5), 0);
    assert.ok(next.admit("team/bomb", 5) > 0);
    assert.equal(next.admit("team/bomb", 0), 0);
    next.end("team/bomb");
    await leaders.clock.advance(61_000);
    assert.equal(next.admit("team/bomb", 5), 0);
  });

  test("lets suspects in one at a time, so that the deaths after the first are of one alone", async () => {
    await leaders.dieOf(aClass("bomb"), aClass("innocent"));
    const next = leaders.next();

    assert.equal(next.admit("team/innocent", 0), 0);
    assert.ok(next.admit("team/bomb", 0) > 0);
    await leaders.mirror(aClass("innocent"));
    next.end("team/innocent");
    assert.equal(next.admit("team/bomb", 0), 0);
    await leaders.dieOf(aClass("bomb"));
    assert.equal(leaders.next().admit("team/bomb", 0), 0);
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
    assert.equal(next.admit("team/first", 0), 0);
    await leaders.dieOf(aClass("first"));
    const third = leaders.next();

    assert.ok(third.admit("team/first", 0) > 0);
    assert.equal(third.admit("team/second", 0), 0);
    await leaders.mirror(aClass("second"));
    third.end("team/second");
    assert.equal(third.admit("team/first", 0), 0);
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

    assert.equal(leaders.quarantine.admit("team/innocent", 0), 0);
    assert.equal((await leaders.mirror(aClass("innocent"))).kind, "answered");
    leaders.quarantine.end("team/innocent");
    assert.equal(leaders.next().admit("team/innocent", 5), 0);
  });

  test("lasts longer with each death after that, and a day at most", async () => {
    await leaders.diedOf(aClass("bomb"));
    const pauses: number[] = [];
    for (let deaths = 0; deaths < 6; deaths += 1) {
      const refused = await leaders.mirror(aClass("bomb"));
      assert.ok(refused.kind === "refused" && refused.retry.kind === "after");
      pauses.push(refused.retry.milliseconds / 60_000);
      await leaders.clock.advance(refused.retry.milliseconds);
      assert.equal(leaders.quarantine.admit("team/bomb", 0), 0);
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

    assert.equal(leaders.next().admit("team/good", 5), 0);
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
      assert.equal(leaders.next().admit("team/a", 5), 0, text);
    }
  });
});
