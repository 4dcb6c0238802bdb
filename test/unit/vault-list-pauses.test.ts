import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Registry } from "prom-client";
import type { Clock } from "../../src/domain/ports/clock.ts";
import type { VaultAddress, VaultClient } from "../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { withBudget } from "../../src/sync/vault/vault-budget.ts";
import { createVaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const PAGES = 30;
const ADDRESS: VaultAddress = {
  vaultUrl: "https://vault-1.vault.azure.net/",
  authorityHost: "https://login.microsoftonline.com/",
  tenantId: "t",
};
const signal = new AbortController().signal;

let clock: ManualClock;
let client: VaultClient;
let clientBy: (ticking: Clock) => VaultClient;
/** Requests for pages that came to the vault. */
let asked: number;
/** The page at which the vault says 429 to the list itself. */
let refusedPage: number | undefined;
let retryAfterMs: number | undefined;

function throttled(): VaultError {
  const retry = retryAfterMs === undefined ? ({ kind: "backoff" } as const) : ({ kind: "after", milliseconds: retryAfterMs } as const);
  return new VaultError("Throttled", `${ADDRESS.vaultUrl}: 429`, { retry, origin: "vault" });
}

beforeEach(() => {
  clock = new ManualClock();
  asked = 0;
  refusedPage = undefined;
  retryAfterMs = undefined;
  const refuse = async (): Promise<never> => {
    await Promise.resolve();
    throw throttled();
  };
  const vault: VaultClient = {
    getSecret: refuse,
    getKey: refuse,
    getCertificate: refuse,
    listVersions: async function* () {},
    listObjects: async function* () {
      for (let page = 1; page <= PAGES; page++) {
        asked += 1;
        if (page === refusedPage) throw throttled();
        yield [{ name: `object-${page}`, isEnabled: true, updated: 1 }];
      }
    },
  };
  clientBy = (ticking) => {
    const budgeted = withBudget(
      { clientFor: () => vault },
      { clock: ticking, random: () => 0, metrics: createVaultMetrics(new Registry()) },
    );
    return budgeted.clientFor(ADDRESS, { kind: "managedIdentity", clientId: "app" }, "team").inLineOf("team");
  };
  client = clientBy(clock);
});

/** How a list ends during which, after so many pages, the vault refuses somebody else. */
async function listed(throttledAfter: number): Promise<string> {
  let pages = 0;
  const list = async (): Promise<string> => {
    for await (const _ of client.listObjects("secret", signal)) {
      pages += 1;
      if (pages === throttledAfter) await client.getSecret("other", undefined, signal).catch(() => undefined);
    }
    return "whole";
  };
  const ended = list().catch((error: unknown) => (error instanceof VaultError ? error.code : "failed"));
  await clock.advance(120_000);
  return `${await ended} after ${pages}`;
}

describe("a list of a vault that is throttled meanwhile", () => {
  test("W17: is whole where all of its pages are there", async () => {
    assert.equal(await listed(PAGES), "whole after 30");
    assert.equal(asked, PAGES);
  });

  test("W17: goes on after the pause, with no page asked for twice", async () => {
    assert.equal(await listed(10), "whole after 30");
    assert.equal(asked, PAGES);
  });

  test("is not waited for longer than half a minute", async () => {
    retryAfterMs = 60_000;
    assert.equal(await listed(10), "Throttled after 10");
  });

  test("ends, and is not taken for whole, where the vault refuses the list itself", async () => {
    refusedPage = 10;
    assert.equal(await listed(PAGES), "Throttled after 9");
    assert.equal(asked, 10);
  });

  test("does not begin before the pause is over", async () => {
    await client.getSecret("other", undefined, signal).catch(() => undefined);
    assert.equal(await listed(PAGES), "Throttled after 0");
    assert.equal(asked, 0);
  });
});

test("a pause is told in no more milliseconds than the vault has said, also at a time that is no whole millisecond", async () => {
  retryAfterMs = 2_000;
  const reported: unknown[] = [];
  for (let index = 0; index < 1_000; index++) {
    // As the machine's own: small, and no whole number.
    const finer = { now: () => clock.now(), sleep: clock.sleep.bind(clock), monotonic: () => index * 100.013 + 0.123 };
    const error: unknown = await clientBy(finer)
      .getSecret("other", undefined, signal)
      .catch((refusal: unknown) => refusal);
    reported.push(error instanceof VaultError && error.retry);
  }

  assert.deepEqual(
    reported,
    reported.map(() => ({ kind: "after", milliseconds: 2_000 })),
  );
});
