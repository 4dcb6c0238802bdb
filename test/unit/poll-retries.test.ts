import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { SimulatedWorld } from "../support/simulation/world.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const CLASS = { namespace: "team", name: "app" };
const SECRET = { namespace: "team", name: "app-db" };

const away = (): VaultError => new VaultError("Unreachable", "no connection to the vault", { retry: { kind: "backoff" }, origin: "vault" });

/** A class that is the only one with its identity, polled once an hour. */
async function hourlyWorld(): Promise<SimulatedWorld> {
  const world = new SimulatedWorld();
  world.vaults.set("db");
  await world.clock.advance(HOUR);
  world.apply({ ...CLASS, objects: ["db"], annotations: { "keyvault-injector.dev/rotation-poll-interval": "1h" } });
  return world;
}

/** Advances second by second until the worker queries the vault. */
async function untilAsked({ vaults, clock }: SimulatedWorld): Promise<void> {
  vaults.taken();
  for (let second = 0; vaults.requests.length === 0; second += 1) {
    assert.ok(second < 2 * 3_600, "nobody has asked the vault for two hours");
    await clock.advance(SECOND);
  }
}

describe("the retry of a poll that failed", () => {
  // Seed 60011: the list of the previous poll came from that poll's retry, and was therefore less than an interval old.
  test("S11: asks the vault, also where the poll before had been retried for longer", async () => {
    const world = await hourlyWorld();
    const leader = world.lead();
    await world.clock.advance(MINUTE);
    world.vaults.failure = away;
    await untilAsked(world);
    await world.clock.advance(MINUTE);
    world.vaults.failure = undefined;
    await untilAsked(world);
    await world.clock.advance(MINUTE);
    assert.equal(world.condition(CLASS, "Fresh"), "True Synced");
    world.vaults.set("db");
    world.vaults.failure = away;
    await untilAsked(world);
    assert.equal(world.condition(CLASS, "Fresh"), "False Unreachable");
    world.vaults.failure = undefined;

    await world.clock.advance(MINUTE);

    assert.equal(world.value(SECRET), "db@v2");
    await leader.stop();
  });
});
