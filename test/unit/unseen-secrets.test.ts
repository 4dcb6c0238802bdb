import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

const CLASS = { namespace: "team", name: "app" };
const SECRET = { namespace: "team", name: "app-db" };

/** A class that was created while the watch of Secrets was cut off: its Secret exists, but the live copy does not show it. */
async function unseenWorld() {
  const world = new SimulatedWorld();
  world.vaults.set("db", "other");
  await world.clock.advance(600_000);
  const leader = world.lead();
  await world.clock.advance(INTERVAL);
  const mend = world.cluster.cutWatches(RESOURCES.secrets);
  world.apply({ ...CLASS, objects: ["db"] });
  await world.clock.advance(3_000);
  assert.equal(world.condition(CLASS, "Synced"), "True Synced");
  assert.notEqual(world.value(SECRET), undefined);
  return { world, leader, mend };
}

const snapshots = (world: SimulatedWorld): number => world.cluster.all(RESOURCES.controllerRevisions).length;

describe("a class that is deleted while the watch of Secrets is broken", () => {
  test("W2: takes its Secret along once the watch is back, and its snapshot not before", async () => {
    const { world, leader, mend } = await unseenWorld();
    world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);
    await world.clock.advance(30_000);
    assert.equal(snapshots(world), 1);

    mend();
    await world.clock.advance(30_000);

    assert.equal(world.value(SECRET), undefined);
    assert.equal(snapshots(world), 0);
    assert.equal(world.status(CLASS), undefined);
    await leader.stop();
  });

  test("W2: takes it along where the next leader finds it", async () => {
    const { world, leader } = await unseenWorld();
    world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);
    await world.clock.advance(30_000);
    await leader.stop();

    const next = world.lead();
    await world.clock.advance(30_000);

    assert.equal(world.value(SECRET), undefined);
    assert.equal(snapshots(world), 0);
    await next.stop();
  });

  test("is forgotten at once where somebody deleted the Secret before", async () => {
    const { world, leader } = await unseenWorld();
    world.cluster.delete(RESOURCES.secrets, SECRET);
    world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);
    await world.clock.advance(30_000);

    assert.equal(snapshots(world), 0);
    assert.equal(world.status(CLASS), undefined);
    await leader.stop();
  });
});
