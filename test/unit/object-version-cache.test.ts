import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import type { VaultClient } from "../../src/domain/ports/vault-client.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { createObjectVersionCaches } from "../../src/sync/vault/object-version-cache.ts";
import type { BudgetedClient } from "../../src/sync/vault/vault-budget.ts";
import { createVaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { ListedVaults } from "../support/worker/listed-vault.ts";

const DB = { type: "secret", name: "db", version: undefined } as const;
const signal = new AbortController().signal;

/** A version cache of one vault. The vault answers at once, but the test decides when the cache receives each answer. */
async function aLedger() {
  const clock = new ManualClock();
  await clock.advance(3_600_000);
  const vaults = new ListedVaults(clock);
  vaults.set("db");
  const address = { vaultUrl: "https://kv.vault.azure.net/", authorityHost: "https://login.microsoftonline.com/", tenantId: "t" };
  const vault = vaults.clientFor(address, { kind: "managedIdentity", clientId: "app" }, "team");
  const handOver: (() => void)[] = [];
  const late: VaultClient = {
    ...vault,
    getSecret: async (...asked) => {
      const answer = await vault.getSecret(...asked);
      await new Promise<void>((resolve) => handOver.push(resolve));
      return answer;
    },
    getKey: vault.getKey.bind(vault),
    getCertificate: vault.getCertificate.bind(vault),
    listVersions: vault.listVersions.bind(vault),
    listObjects: vault.listObjects.bind(vault),
  };
  const woken: string[] = [];
  const onChange = (classKey: string): boolean => {
    woken.push(classKey);
    return true;
  };
  const versionCache = createObjectVersionCaches({ clock, metrics: createVaultMetrics(new Registry()), onChange })({
    stretchFor: () => 1,
    inLineOf: () => late,
  });
  for (const classKey of ["ns/x", "ns/y", "ns/z"]) versionCache.interests.name(classKey, { keys: ["secret/db"], until: 1e15 }, clock.now());
  const ask = async (classKey: string) => {
    const answer = versionCache
      .reader({ classKey, due: clock.now(), period: 1_000, notBefore: clock.now() })
      .getSecret("db", undefined, signal);
    await clock.advance(1_000);
    return { answer };
  };
  const take = async ({ answer }: Awaited<ReturnType<typeof ask>>, index: number) => {
    handOver[index]?.();
    return (await answer).version;
  };
  const known = (): string | undefined => {
    const lastCheck = versionCache.checkOf(DB)?.lastCheck;
    return lastCheck?.kind === "found" ? lastCheck.version : lastCheck?.code;
  };
  return { vaults, ask, take, known, woken };
}

/** How often the vault is asked when two classes read a secret with a value of this many bytes. */
async function requestsFor(bytes: number): Promise<number> {
  const clock = new ManualClock();
  let asked = 0;
  const getSecret = async () => {
    asked += 1;
    return { version: "v1", updated: 0, expires: undefined, notBefore: undefined, value: new Sensitive(new Uint8Array(bytes)) };
  };
  const client = { inLineOf: () => ({ getSecret }), stretchFor: () => 1 } as unknown as BudgetedClient; // The test reads only this secret.
  const versionCache = createObjectVersionCaches({ clock, metrics: createVaultMetrics(new Registry()), onChange: () => true })(client);
  for (const classKey of ["ns/x", "ns/y"]) versionCache.interests.name(classKey, { keys: ["secret/db"], until: 1e15 }, clock.now());
  for (const classKey of ["ns/x", "ns/y"])
    await versionCache.reader({ classKey, due: clock.now(), period: 1_000, notBefore: clock.now() }).getSecret("db", undefined, signal);
  return asked;
}

test("SC: an answer that is larger than any of a vault is not kept", async () => {
  assert.equal(await requestsFor(25_600), 1, "the control: the largest value of a vault");
  assert.equal(await requestsFor(1_000_000), 2);
});

test("C-8: an answer that a later question's has overtaken replaces nothing, and who has got it asks again", async () => {
  const { vaults, ask, take, known, woken } = await aLedger();
  const earlier = await ask("ns/x");
  vaults.set("db");
  const later = await ask("ns/y");
  const newest = await take(later, 1);

  const oldest = await take(earlier, 0);

  assert.notEqual(oldest, newest);
  assert.equal(known(), newest);
  assert.ok(woken.includes("ns/x"), `woken: ${woken.join()}`);
});

test("C-8: an answer that nothing has overtaken is what is known, and wakes the others alone", async () => {
  const { vaults, ask, take, known, woken } = await aLedger();
  await take(await ask("ns/x"), 0);
  vaults.set("db");

  const newest = await take(await ask("ns/y"), 1);

  assert.equal(known(), newest);
  assert.deepEqual(woken, ["ns/x", "ns/z"]);
});
