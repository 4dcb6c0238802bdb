import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Registry } from "prom-client";

import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { type BudgetedClients, withBudget } from "../../src/sync/vault/vault-budget.ts";
import { createVaultMetrics, type VaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { ListedVaults } from "../support/worker/listed-vault.ts";

const urlOf = (vault: string): string => `https://${vault}.vault.azure.net/`;
const VAULT = urlOf("kv");
const THROTTLED = new VaultError("Throttled", `get secret a from ${VAULT}: the vault throttles`, {
  retry: { kind: "after", milliseconds: 3_600_000 },
  origin: "vault",
});

let registry: Registry;
let metrics: VaultMetrics;
let vaults: ListedVaults;
let budgeted: BudgetedClients;
let classes: Set<string>;

beforeEach(() => {
  const clock = new ManualClock();
  registry = new Registry();
  metrics = createVaultMetrics(registry);
  classes = new Set(["n/one"]);
  metrics.vaults.observe((key) => classes.has(key));
  vaults = new ListedVaults(clock);
  vaults.set("a");
  budgeted = withBudget(vaults, { clock, random: () => 0, metrics });
});

/** Requests a secret for a class. Returns "answered", or the code of the error. */
async function asks(classKey: string, vaultUrl = VAULT, clientId = "app"): Promise<string> {
  metrics.vaults.noteUse(classKey, vaultUrl);
  const address = { vaultUrl, authorityHost: "https://login.microsoftonline.com/", tenantId: "t" };
  const client = budgeted.clientFor(address, { kind: "managedIdentity", clientId }, "n").inLineOf("n");
  return client.getSecret("a", undefined, new AbortController().signal).then(
    () => "answered",
    (error: VaultError) => error.code,
  );
}

/** Makes the vault refuse requests for an hour. */
async function givenThrottled(classKey: string, vaultUrl = VAULT): Promise<void> {
  vaults.failure = () => THROTTLED;
  assert.equal(await asks(classKey, vaultUrl), "Throttled");
  vaults.failure = undefined;
  assert.equal(await asks(classKey, vaultUrl), "Throttled", "it holds, though the vault would answer");
}

describe("what is known of a vault", () => {
  test("is forgotten with the last class that names it", async () => {
    await givenThrottled("n/one");
    classes.delete("n/one");
    await registry.metrics();

    classes.add("n/two");
    assert.equal(await asks("n/two"), "answered");
  });

  test("is forgotten once its class names another vault", async () => {
    await givenThrottled("n/one");
    assert.equal(await asks("n/one", urlOf("other")), "answered");
    await registry.metrics();

    assert.equal(await asks("n/one"), "answered");
  });

  test("is kept while a class names it, however its name is spelled", async () => {
    classes.add("n/two");
    await givenThrottled("n/one", VAULT.toUpperCase().replace("HTTPS", "https"));
    assert.equal(await asks("n/two"), "Throttled");
    classes.delete("n/one");
    await registry.metrics();

    assert.equal(await asks("n/two"), "Throttled");
  });

  test("is forgotten without a scrape as well, where one class names vault after vault", async () => {
    await givenThrottled("n/one");
    for (let index = 0; index < 1_000; index += 1) await asks("n/one", urlOf(`v${index}`));

    assert.equal(await asks("n/one"), "answered");
  });

  test("is one for all identities again after it was forgotten: those from before share the new budget", async () => {
    assert.equal(await asks("n/one"), "answered");
    classes.delete("n/one");
    await registry.metrics();
    classes.add("n/one").add("n/two");

    vaults.failure = () => THROTTLED;
    assert.equal(await asks("n/two", VAULT, "new"), "Throttled");
    vaults.failure = undefined;

    assert.equal(await asks("n/one"), "Throttled");
  });
});
