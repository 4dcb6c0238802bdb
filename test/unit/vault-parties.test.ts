import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { VaultError, type VaultErrorOrigin } from "../../src/domain/ports/vault-error.ts";
import { reasonOf } from "../support/fixtures/stored-class.ts";
import { INTERVAL, type PolledClass, PollingWorker } from "../support/worker/polling-worker.ts";

let worker: PollingWorker;

beforeEach(() => {
  worker = new PollingWorker();
});

const silence = (origin: VaultErrorOrigin): VaultError =>
  new VaultError("Unreachable", "get secret a from https://vault-1.vault.azure.net/: no token", {
    retry: { kind: "backoff" },
    origin,
    words: "no token",
  });

const refusal = new VaultError("Unauthorized", "no such application", { retry: { kind: "never" }, origin: "signIn" });

const away = new VaultError("Unreachable", "no connection", { retry: { kind: "backoff" }, origin: "vault" });

/** Polls each class at a phase of its own, `rounds` times; the reasons that they gave, by class. */
async function pollInTurn(classes: readonly PolledClass[], rounds: number): Promise<readonly (readonly string[])[]> {
  const reported: string[][] = classes.map(() => []);
  const running: Promise<void>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, one] of classes.entries()) {
      await worker.clock.advance(INTERVAL / classes.length);
      running.push(one.poll().then((answer) => void reported[index]?.push(reasonOf(answer))));
    }
  }
  await worker.clock.advance(INTERVAL);
  await Promise.all(running);
  return reported;
}

describe("classes whose token service is silent", () => {
  for (const origin of ["metadataService", "signIn", "apiServer", "proxy"] as const) {
    test(`C2: cost the others of their vault nothing, where 20 of 30 are such: ${origin}`, async () => {
      const objects = Array.from({ length: 30 }, (_, index) => `object-${index}`);
      await worker.givenObjects(...objects);
      const classes = objects.map((object, index) =>
        worker.aClass(object, { objects: [object], clientId: index < 20 ? "silent" : "good" }),
      );
      for (const one of classes) await one.first();
      worker.vaults.signIn = (clientId) => (clientId === "silent" ? { error: silence(origin), afterMs: 10_000 } : undefined);

      const reported = await pollInTurn(classes, 12);

      const good = reported.slice(20).flat();
      assert.deepEqual(
        good.filter((reason) => reason !== "Synced"),
        [],
        `of ${good.length} polls`,
      );
      assert.equal(good.length, 120);
      // The control: the others had trouble all the time.
      assert.deepEqual([...new Set(reported.slice(0, 20).flat())], ["Unreachable"]);
    });
  }

  test("say so in words that name no object, so that a status that has them is not written again", async () => {
    await worker.givenObjects("a", "b");
    const one = await worker.synced({ objects: ["a", "b"], clientId: "silent" });
    worker.vaults.signIn = () => ({ error: silence("signIn"), afterMs: 0 });
    const reported = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const waiting = one.poll();
      await worker.clock.advance(INTERVAL);
      const answer = await waiting;
      reported.add(answer.kind === "refused" ? answer.message : "");
    }
    assert.deepEqual([...reported], ["https://vault-1.vault.azure.net/: no token"]);
  });
});

describe("a vault that does not answer", () => {
  async function whoseBreakerIsOpen(): Promise<readonly PolledClass[]> {
    const names = Array.from({ length: 8 }, (_, index) => `object-${index}`);
    await worker.givenObjects(...names);
    const classes = names.map((name) => worker.aClass(name, { objects: [name], clientId: name }));
    for (const one of classes) await one.first();
    worker.vaults.failure = () => away;
    await worker.clock.advance(INTERVAL);
    for (const one of classes) await one.poll();
    worker.vaults.taken();
    return classes;
  }

  for (const [what, error] of [
    ["refusal", refusal],
    ["silence", silence("signIn")],
  ] as const) {
    test(`C2: is still left alone after a ${what} of a token service, which is no answer of the vault`, async () => {
      const classes = await whoseBreakerIsOpen();
      const stranger = worker.aClass("stranger", { objects: ["object-0"], clientId: "stranger" });
      worker.vaults.signIn = (clientId) => (clientId === "stranger" ? { error, afterMs: 0 } : undefined);

      await worker.clock.advance(5_000);
      const [asked] = [stranger.first()];
      await worker.clock.advance(0);
      await asked;
      const reported = await Promise.all(classes.map((one) => one.poll()));

      assert.deepEqual([...new Set(reported.map(reasonOf))], ["Unreachable"]);
      assert.equal(worker.vaults.taken().length, 1, "one request tries the vault, and the others do not");
    });
  }
});
