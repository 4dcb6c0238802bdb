import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Registry } from "prom-client";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import type { VaultClient } from "../../src/domain/ports/vault-client.ts";
import { withBudget } from "../../src/sync/vault/vault-budget.ts";
import { createVaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const ADDRESS = { vaultUrl: "https://shop.vault.azure.net/", authorityHost: "https://login.microsoftonline.com/", tenantId: "t" };

/** The rate of a leader for each second. A leader starts without a burst. */
const A_SECOND = 300;

describe("a replica that did not renew its lease in time", () => {
  let clock: ManualClock;
  let sent: number;
  let holdsLease: boolean;
  let client: Pick<VaultClient, "getSecret">;

  beforeEach(() => {
    clock = new ManualClock();
    sent = 0;
    holdsLease = true;
    const vault = { getSecret: () => Promise.reject(new Error(`request ${++sent}`)) };
    const budgeted = withBudget(
      { clientFor: () => vault as unknown as VaultClient },
      {
        clock,
        random: () => 0,
        metrics: createVaultMetrics(new Registry()),
        leadership: { since: clock.now(), holdsLease: () => holdsLease },
      },
    );
    client = budgeted.clientFor(ADDRESS, { kind: "managedIdentity", clientId: "app" }, "team").inLineOf("team");
  });

  const ask = (count: number): readonly Promise<unknown>[] =>
    Array.from({ length: count }, (_, index) =>
      client.getSecret(`s${index}`, undefined, new AbortController().signal).catch((error: unknown) => error),
    );

  test("S12: asks no vault, which the next leader asks by then", async () => {
    const asked = ask(2 * A_SECOND);
    await clock.advance(1_000);
    const before = sent;
    assert.ok(before > 0.9 * A_SECOND && before < 1.1 * A_SECOND, `control: ${before} in the first second`);

    holdsLease = false;
    await clock.advance(5_000);

    assert.equal(sent, before);
    const refused = (await Promise.all(asked)).filter((error) => error instanceof KubeError);
    assert.equal(refused.length, 2 * A_SECOND - before);
    assert.deepEqual([...new Set(refused.map(({ code }) => code))], ["NotLeading"]);
    assert.deepEqual(
      [...new Set(refused.map(({ message }) => message))],
      ["ask https://shop.vault.azure.net/: not sent, because the lease was not renewed in time, and another replica may hold it"],
    );
  });

  test("S12: asks again once it has renewed it", async () => {
    holdsLease = false;
    const refused = ask(1);
    await clock.advance(1_000);
    holdsLease = true;
    const asked = ask(1);
    await clock.advance(1_000);

    assert.ok((await refused[0]) instanceof KubeError);
    assert.match(String(await asked[0]), /request 1/);
  });
});
