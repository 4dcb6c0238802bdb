import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { VaultClient, VaultClients } from "../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

const CLASS = { namespace: "team", name: "app" };
/** Milliseconds by the clock of the metric, which no test moves. */
const SLOW_MS = 300;

describe("the time that a sync takes", () => {
  test("has the wait for a list in it, also where a class at rest meets it, and the vault refuses it then", async () => {
    const world = new SimulatedWorld();
    let isSlow = false;
    let client: VaultClient | undefined;
    const vaults: VaultClients = {
      clientFor: (...asked) => {
        const fast = world.vaults.clientFor(...asked);
        // One client for all requests, because a list belongs to its client.
        client ??= { ...fast, listObjects: (...what) => (isSlow ? refusedLate() : fast.listObjects(...what)) };
        return client;
      },
    };
    world.vaults.set("db");
    await world.clock.advance(600_000);
    world.apply({ ...CLASS, objects: ["db"] });
    const leader = world.lead({ vaults });
    await world.clock.advance(3 * INTERVAL);
    const before = await seconds(world);

    isSlow = true;
    await world.clock.advance(INTERVAL);
    await sleep(2 * SLOW_MS);
    await world.clock.advance(0);

    assert.equal(world.condition(CLASS, "Fresh"), "False Unreachable");
    assert.ok((await seconds(world)) - before >= SLOW_MS / 1_000);
    await leader.stop();
  });
});

// oxlint-disable-next-line require-yield -- It fails before it has a page.
async function* refusedLate(): AsyncGenerator<never> {
  await sleep(SLOW_MS);
  throw new VaultError("Unreachable", "no answer", { retry: { kind: "backoff" }, origin: "vault" });
}

async function seconds({ registry }: SimulatedWorld): Promise<number> {
  const text = await registry.getSingleMetricAsString("keyvault_injector_sync_duration_seconds");
  return Number(/_sum(?:\{[^}]*\})? (\S+)/.exec(text)?.[1]);
}
