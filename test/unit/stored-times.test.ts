import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nextStatus } from "../../src/domain/sync/class-status.ts";
import { storedTime } from "../../src/domain/sync/stored-time.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

const HOUR_MS = 3_600_000;
const CLASS = { namespace: "team", name: "app" };
const SECRET = { namespace: "team", name: "app-db" };

/** A class that a leader has checked whose clock is an hour ahead. */
async function checkedAhead(): Promise<SimulatedWorld> {
  const world = new SimulatedWorld();
  world.vaults.set("db");
  await world.clock.advance(2 * HOUR_MS);
  world.apply({ ...CLASS, objects: ["db"] });
  const ahead = world.lead({ clock: world.clockAhead(HOUR_MS) });
  await world.clock.advance(1_000);
  await ahead.stop();
  assert.ok(Date.parse(world.status(CLASS)?.lastSuccessfulCheckTime ?? "") > world.clock.now(), "the stored time is not ahead");
  return world;
}

describe("a stored time that is ahead of the clock of who reads it", () => {
  test("C8: does not hide what changed in the vault since, and is set right by the next check", async () => {
    const world = await checkedAhead();
    world.vaults.set("db");

    const leader = world.lead();
    await world.clock.advance(INTERVAL + 1_000);

    assert.equal(world.value(SECRET), "db@v2");
    assert.ok(Date.parse(world.status(CLASS)?.lastSuccessfulCheckTime ?? "") <= world.clock.now(), "the stored time is still ahead");
    await leader.stop();
  });

  test("C8: does not make a class fresh for longer than its author allows", async () => {
    const world = await checkedAhead();
    world.apply({ ...CLASS, objects: ["db"], annotations: { "keyvault-injector.dev/max-stale": "10m" } });
    const leader = world.lead();
    await world.clock.advance(1_000);
    world.vaults.refuse("app", "get", "list");

    await world.clock.advance(11 * 60_000);

    assert.equal(world.condition(CLASS, "Fresh"), "False Stale");
    await leader.stop();
  });

  test("counts from before all that the two clocks may differ where it is a little ahead, and not at all where it is more", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    assert.equal(storedTime("2025-12-31T23:59:59Z", now), now - 1_000);
    assert.equal(storedTime("2026-01-01T00:00:03Z", now), now - 7_000);
    assert.equal(storedTime("2026-01-01T00:00:11Z", now), undefined);
    assert.equal(storedTime("none", now), undefined);
  });

  test("C8: is not kept where nobody knows of a check since", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    const stored = {
      observedClassGeneration: 1,
      conditions: [],
      lastSuccessfulCheckTime: "2026-01-01T01:00:00Z",
      syncedSecrets: 0,
      desiredSecrets: 0,
      secrets: [],
    };
    const outcome = { generation: 1, reason: "Unreachable" as const, message: "no answer", isFresh: false, secrets: [] };

    assert.equal(nextStatus(outcome, stored, now)?.lastSuccessfulCheckTime, undefined);
    assert.equal(nextStatus(outcome, stored, now + 2 * HOUR_MS)?.lastSuccessfulCheckTime, "2026-01-01T01:00:00Z");
  });
});
