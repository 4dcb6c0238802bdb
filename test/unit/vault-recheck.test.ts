import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Mirror, Recheck } from "../../src/sync/vault/mirror.ts";
import { INTERVAL, PollingWorker } from "../support/worker/polling-worker.ts";

const CLOUD = { activeDirectoryEndpoint: "https://login.one.example/", keyVaultDNSSuffix: "vault.one.example" };

let worker: PollingWorker;

beforeEach(() => {
  worker = new PollingWorker();
});

function recheckOf(polled: Mirror): Recheck | undefined {
  return polled.kind === "answered" ? polled.recheck : undefined;
}

describe("a class whose poll found everything unchanged", () => {
  test("is read at each poll where it names a cloud that the operator describes: its file may be another one by then", async () => {
    await worker.givenObjects("a");
    worker.cloudFile = JSON.stringify(CLOUD);
    const parameters = { cloudName: "AzureStackCloud", cloudEnvFileName: "cloud.json" };
    const own = await worker.synced({ objects: ["a"], parameters }, "own");
    const known = await worker.synced({ objects: ["a"] }, "known");
    assert.equal(recheckOf(await own.poll()), undefined);
    assert.ok(recheckOf(await known.poll()), "the control: of a cloud that everybody knows it need not be");
  });

  test("is read where nobody lends it the identity any more, and its vault is not asked", async () => {
    await worker.givenObjects("a");
    const one = await worker.synced({ objects: ["a"] });
    const recheck = recheckOf(await one.poll());
    await worker.clock.advance(INTERVAL);
    worker.vaults.taken();
    worker.lentTo.length = 0;
    const timing = { due: worker.clock.now(), interval: INTERVAL, period: INTERVAL, credentialsMs: 0 };
    assert.deepEqual(await recheck?.(timing, new AbortController().signal), { kind: "changed" });
    assert.deepEqual(worker.vaults.taken(), []);
  });

  test("is read where it was forgotten meanwhile, so that it is told of changes again", async () => {
    await worker.givenObjects("shared");
    const one = await worker.synced({ objects: ["shared"] }, "one");
    const other = await worker.synced({ objects: ["shared"] }, "other");
    const recheck = recheckOf(await other.poll());
    await one.poll();
    const check = async (): Promise<string | undefined> => {
      const timing = { due: worker.clock.now(), interval: INTERVAL, period: INTERVAL, credentialsMs: 0 };
      return (await recheck?.(timing, new AbortController().signal))?.kind;
    };
    await worker.clock.advance(INTERVAL);
    assert.equal(await check(), "unchanged", "the control");

    await worker.clock.advance(1_000_000);
    await one.poll();
    assert.equal(await check(), "changed");
  });
});
