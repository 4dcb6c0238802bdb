import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Leader, SimulatedWorld } from "../support/simulation/world.ts";

const HOUR_MS = 3_600_000;
const CLASS = { namespace: "team", name: "app" };
const SECRET = { namespace: "team", name: "app-db" };

interface Polled {
  readonly world: SimulatedWorld;
  readonly leader: Leader;
  /** Applies the class with this interval annotation, or without it. */
  readonly edit: (interval: string | undefined) => void;
}

/** A class with this interval that was synced, and whose next poll is still hours away an hour later. */
async function polledEvery(interval: string): Promise<Polled> {
  const world = new SimulatedWorld();
  const edit = (changed: string | undefined): void =>
    world.apply({
      ...CLASS,
      objects: ["db"],
      annotations: changed === undefined ? {} : { "keyvault-injector.dev/rotation-poll-interval": changed },
    });
  world.vaults.set("db");
  await world.clock.advance(HOUR_MS);
  edit(interval);
  const leader = world.lead();
  await world.clock.advance(HOUR_MS);
  world.vaults.set("db");
  await world.clock.advance(60_000);
  assert.equal(world.value(SECRET), "db@v1", "the next poll was to be hours away");
  return { world, leader, edit };
}

describe("a poll interval that is changed", () => {
  test("C7: takes effect from the edit where it is shorter", async () => {
    const { world, leader, edit } = await polledEvery("24h");

    edit("30s");
    await world.clock.advance(31_000);

    assert.equal(world.value(SECRET), "db@v2");
    await leader.stop();
  });

  test("U6: takes effect from the edit where the annotation is removed and the default is shorter", async () => {
    const { world, leader, edit } = await polledEvery("12h");

    edit(undefined);
    await world.clock.advance(121_000);

    assert.equal(world.value(SECRET), "db@v2");
    await leader.stop();
  });

  test("loses no poll where it is longer: the next one is made as it was due, and a new interval follows it", async () => {
    const { world, leader, edit } = await polledEvery("10h");

    edit("24h");
    await world.clock.advance(10 * HOUR_MS);
    assert.equal(world.value(SECRET), "db@v2");
    world.vaults.set("db");
    await world.clock.advance(24 * HOUR_MS);

    assert.equal(world.value(SECRET), "db@v3");
    await leader.stop();
  });
});
