import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import type { Clock } from "../../src/domain/ports/clock.ts";
import type { VaultClient } from "../../src/domain/ports/vault-client.ts";
import { createSteadyClock } from "../../src/runtime/steady-clock.ts";
import { withBudget } from "../../src/sync/vault/vault-budget.ts";
import { createVaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const ADDRESS = { vaultUrl: "https://shop.vault.azure.net/", authorityHost: "https://login.microsoftonline.com/", tenantId: "t" };
/** The requests that a vault accepts in ten seconds, less the share for other clients. */
const MOST = 3_500;

for (const [what, skew] of [
  ["was set ahead by an hour, and is caught up with", 3_600_000],
  ["is right", 0],
  ["was set back by an hour", -3_600_000],
] as const)
  test(`S6: a vault is asked no more in ten seconds where the machine's clock ${what}`, async () => {
    const real = new ManualClock();
    let ahead = 0;
    const steady = createSteadyClock({ wall: () => real.now() + ahead, monotonic: () => real.now() });
    const clock: Clock = { ...steady, sleep: (milliseconds, signal) => real.sleep(milliseconds, signal) };
    const sent: number[] = [];
    const vault: Pick<VaultClient, "getSecret"> = {
      getSecret: async () => {
        sent.push(real.now());
        return Promise.reject(new Error("it does not matter"));
      },
    };
    const clients = { clientFor: () => vault as VaultClient }; // The budget calls nothing else.
    const budgeted = withBudget(clients, { clock, random: () => 0, metrics: createVaultMetrics(new Registry()) });
    const client = budgeted.clientFor(ADDRESS, { kind: "managedIdentity", clientId: "app" }, "team").inLineOf("team");
    ahead = skew;
    const { signal } = new AbortController();
    const asked = Array.from({ length: 8_000 }, (_, index) => client.getSecret(`s${index}`, undefined, signal).catch(() => undefined));
    await real.advance(20_000);
    const counts = sent.map((at, index) => index + 1 - sent.findIndex((earlier) => earlier > at - 10_000));
    assert.ok(Math.max(...counts) <= MOST, `${Math.max(...counts)} in ten seconds`);
    assert.ok(Math.max(...counts) >= 0.9 * MOST, "and that is used");
    await real.advance(20_000);
    await Promise.all(asked);
  });
