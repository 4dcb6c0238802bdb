import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { reasonOf } from "../support/fixtures/stored-class.ts";
import { INTERVAL, PollingWorker } from "../support/worker/polling-worker.ts";

let worker: PollingWorker;

beforeEach(() => {
  worker = new PollingWorker();
});

describe("a vault in trouble", () => {
  const throttling = (retryAfter: number | undefined): VaultError =>
    new VaultError("Throttled", "429", {
      origin: "vault",
      retry: retryAfter === undefined ? { kind: "backoff" } : { kind: "after", milliseconds: retryAfter },
    });
  const away = new VaultError("Unreachable", "no connection", { retry: { kind: "backoff" }, origin: "vault" });
  const isOf = (vault: string, error: VaultError) => (vaultUrl: string) => (vaultUrl.startsWith(`https://${vault}.`) ? error : undefined);

  for (const retryAfter of [undefined, 20_000]) {
    test(`is left alone after a 429 ${retryAfter === undefined ? "without" : "with"} Retry-After, and the others are not`, async () => {
      await worker.givenObjects("a", "b");
      const [one, second] = [await worker.synced({ objects: ["a"] }, "one"), await worker.synced({ objects: ["b"] }, "second")];
      const elsewhere = await worker.synced({ objects: ["a"], vault: "quiet" }, "elsewhere");
      worker.vaults.failure = isOf("vault-1", throttling(retryAfter));

      const answer = await one.poll();
      assert.equal(reasonOf(answer), "Throttled");
      assert.deepEqual(answer.kind === "refused" && answer.retry, { kind: "after", milliseconds: retryAfter ?? 1_000 });
      worker.vaults.taken();
      assert.equal(reasonOf(await second.poll()), "Throttled");
      assert.deepEqual(worker.vaults.taken(), []);
      assert.equal(reasonOf(await elsewhere.poll()), "Synced");

      worker.vaults.failure = undefined;
      await worker.clock.advance(retryAfter ?? 1_000);
      const [waiting] = [second.poll()];
      await worker.clock.advance(1_000);
      assert.equal(reasonOf(await waiting), "Synced");
    });
  }

  test("is polled less often after a 429, and as before once it has answered for a while", async () => {
    await worker.givenObjects("a");
    const one = await worker.synced({ objects: ["a"] });
    await one.poll();
    worker.vaults.failure = isOf("vault-1", throttling(undefined));
    await one.poll({ kind: "repair", intact: new Set() });
    worker.vaults.failure = undefined;
    worker.vaults.taken();
    await worker.clock.advance(INTERVAL);
    await one.poll();
    assert.deepEqual(worker.vaults.taken(), [], "the list of two intervals ago still counts");

    for (let round = 0; round < 3; round += 1) {
      await worker.clock.advance(INTERVAL);
      await one.poll();
    }
    assert.equal(worker.vaults.taken().length, 3);
  });

  test("that does not answer is left alone, and tried by one request at a time until it does", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `object-${index}`);
    await worker.givenObjects(...names);
    const classes = await Promise.all(
      names.map((name) => worker.aClass(name, { objects: [name] })).map(async (one) => (await one.first(), one)),
    );
    worker.vaults.taken();
    await worker.clock.advance(INTERVAL);
    worker.vaults.failure = isOf("vault-1", away);

    for (const one of classes) assert.equal(reasonOf(await one.poll()), "Unreachable");
    assert.equal(worker.vaults.taken().length, 5);

    await worker.clock.advance(5_000);
    for (const one of classes) await one.poll();
    assert.equal(worker.vaults.taken().length, 1);

    worker.vaults.failure = undefined;
    await worker.clock.advance(10_000);
    for (const one of classes) assert.equal(reasonOf(await one.poll()), "Synced");
    assert.deepEqual(worker.vaults.taken(), ["app: list secrets"]);
  });

  test("is told in the same words by every class until it is over, whichever request met it", async () => {
    await worker.givenObjects("a", "b");
    const classes = [await worker.synced({ objects: ["a"] }, "one"), await worker.synced({ objects: ["b"] }, "two")];
    let attempts = 0;
    worker.vaults.failure = (vaultUrl) => {
      attempts += 1;
      const words = `no connection, for the ${attempts}. time`;
      return new VaultError("Unreachable", `list the secrets from ${vaultUrl}: ${words}`, {
        retry: { kind: "backoff" },
        origin: "vault",
        words,
      });
    };
    const reported = new Set<string>();
    for (let round = 0; round < 10; round += 1) {
      for (const one of classes) {
        const answer = await one.poll();
        reported.add(answer.kind === "refused" ? answer.message : "");
      }
      await worker.clock.advance(7_000);
    }

    assert.deepEqual([...reported], ["https://vault-1.vault.azure.net/: no connection, for the 1. time"]);
    assert.ok(attempts > 5);
  });

  test("shows in the metrics, and no other vault does", async () => {
    await worker.givenObjects("a");
    const one = await worker.synced({ objects: ["a"] });
    worker.vaults.failure = isOf("vault-1", throttling(undefined));
    await one.poll();

    const text = await worker.registry.metrics();
    assert.match(text, /vault_requests_total\{kind="secret",operation="list",outcome="throttled"\} 1/);
    assert.match(text, /vault_throttled_total\{vault="vault-1\.vault\.azure\.net"\} 1/);
    assert.match(text, /vault_rate\{vault="vault-1\.vault\.azure\.net"\} 150/);
    assert.match(text, /vault_breaker_open\{vault="vault-1\.vault\.azure\.net"\} 0/);
  });
});
