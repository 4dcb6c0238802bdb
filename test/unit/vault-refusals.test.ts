import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { VaultError } from "../../src/domain/ports/vault-error.ts";
import type { Mirror } from "../../src/sync/vault/mirror.ts";
import { reasonOf } from "../support/fixtures/stored-class.ts";
import { INTERVAL, type PolledClass, PollingWorker } from "../support/worker/polling-worker.ts";

let worker: PollingWorker;

beforeEach(() => {
  worker = new PollingWorker();
});

/** A class of one object that was rotated, and may not be read any more. */
async function refusedClass(entry: Readonly<Record<string, string>> = {}): Promise<PolledClass> {
  await worker.givenObjects("a", "b");
  const one = await worker.synced({ objects: ["a", "b"], entry });
  worker.vaults.refuse("app", "get");
  worker.vaults.set("a");
  return one;
}

/** What the class asks for within half an interval: the retry of an attempt that failed, which does not wait for the next poll. */
async function retry(one: PolledClass): Promise<readonly string[]> {
  await worker.clock.advance(INTERVAL / 2);
  assert.notEqual(reasonOf(await one.poll()), "Synced");
  return worker.vaults.taken();
}

async function nextPoll(one: PolledClass, after = INTERVAL): Promise<readonly string[]> {
  worker.vaults.taken();
  await worker.clock.advance(after);
  await one.poll();
  return worker.vaults.taken();
}

function messageOf(mirror: Mirror): string {
  return (mirror.kind === "refused" ? mirror.message : mirror.notFresh?.message) ?? "";
}

describe("an object that the vault refuses", () => {
  test("V5: is asked for once an interval, however often the class comes", async () => {
    const one = await refusedClass();

    for (let round = 0; round < 3; round += 1) {
      assert.deepEqual(await nextPoll(one, round === 0 ? INTERVAL : INTERVAL / 2), ["app: list secrets", "app: get a"]);
      assert.deepEqual(await retry(one), []);
    }

    worker.vaults.refuse("app");
    await nextPoll(one, INTERVAL / 2);
    assert.equal(one.versions[0], worker.vaults.current("a")?.version);
  });

  test("V5: costs other classes of the identity nothing in that interval", async () => {
    const one = await refusedClass();
    const other = worker.aClass("other", { objects: ["a"] });
    await nextPoll(one);

    await worker.clock.advance(INTERVAL / 4);

    assert.equal(reasonOf(await other.poll()), "Forbidden");
    assert.deepEqual(worker.vaults.taken(), []);
  });

  test("is named in the class's order, whichever class has asked for it last", async () => {
    await worker.givenObjects("a", "b");
    const one = await worker.synced({ objects: ["a", "b"] });
    const other = worker.aClass("other", { objects: ["b"] });
    worker.vaults.refuse("app", "get");
    worker.vaults.set("a");
    worker.vaults.set("b");
    await worker.clock.advance(INTERVAL);
    const before = messageOf(await one.poll());

    await worker.clock.advance(INTERVAL);
    await other.poll();
    const after = messageOf(await one.poll());

    assert.match(before, /objectName:a/);
    assert.equal(after, before);
  });

  test("V5: with a history is listed once an interval", async () => {
    await worker.givenObjects("a");
    const one = await worker.synced({ objects: ["a"], entry: { objectVersionHistory: "2" } });
    worker.vaults.refuse("app", "list");

    assert.deepEqual(await nextPoll(one), ["app: versions a"]);
    assert.deepEqual(await retry(one), []);
    assert.deepEqual(await nextPoll(one, INTERVAL / 2), ["app: versions a"]);
  });

  test("is asked for at the poll after a first look, and by a refresh at once", async () => {
    await worker.givenObjects("a");
    worker.vaults.refuse("app", "get");
    const one = worker.aClass("one", { objects: ["a"] });
    assert.equal(reasonOf(await one.first()), "Forbidden");

    assert.deepEqual(await nextPoll(one, INTERVAL / 2), ["app: list secrets", "app: get a"]);
    await one.first();

    assert.deepEqual(worker.vaults.taken(), ["app: get a"]);
  });
});

describe("an object whose content is of no use", () => {
  test("V5: is got once an interval", async () => {
    await worker.givenObjects("a");
    const one = worker.aClass("one", { objects: ["a"], entry: { objectEncoding: "hex" } });
    assert.equal(reasonOf(await one.first()), "InvalidObject");

    assert.deepEqual(await nextPoll(one), ["app: list secrets", "app: get a"]);
    assert.deepEqual(await retry(one), []);
  });

  test("is got again within the interval once another class has seen a new version of it", async () => {
    await worker.givenObjects("a");
    worker.vaults.refuse("app", "list");
    const one = worker.aClass("one", { objects: ["a"], entry: { objectEncoding: "hex" } });
    await one.first();
    await nextPoll(one);
    worker.vaults.set("a");
    await worker.clock.advance(1_000);
    const other = worker.aClass("other", { objects: ["a"] });
    await other.first();
    worker.vaults.taken();
    assert.ok(worker.reported.includes("team/one"));

    // Beyond the time for which values are shared.
    await worker.clock.advance(20_000);
    await one.poll();

    assert.deepEqual(worker.vaults.taken(), ["app: get a"]);
  });
});

describe("a failure that may be over at once", () => {
  test("is not kept: the retry asks", async () => {
    await worker.givenObjects("a");
    const one = await worker.synced({ objects: ["a"] });
    worker.vaults.set("a");
    worker.vaults.failure = () => new VaultError("Unauthorized", "AADSTS700213", { retry: { kind: "never" }, origin: "signIn" });
    await nextPoll(one);

    worker.vaults.failure = undefined;
    await worker.clock.advance(2_000);
    await one.poll();

    assert.equal(one.versions[0], worker.vaults.current("a")?.version);
  });
});
