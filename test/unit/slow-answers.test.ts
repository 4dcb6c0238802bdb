import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { conditionOf } from "../../src/domain/sync/class-status.ts";
import { answerAfter } from "../support/simulation/silent-vaults.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

const CLASS = { namespace: "team", name: "app" };

async function syncedWorld() {
  const world = new SimulatedWorld();
  world.vaults.set("db", "other");
  await world.clock.advance(600_000);
  world.apply({ ...CLASS, objects: ["db"] });
  const leader = world.lead();
  await world.clock.advance(1_000);
  assert.equal(world.condition(CLASS, "Ready"), "True Synced");
  return { world, leader };
}

const statusWrites = (world: SimulatedWorld): number =>
  world.cluster.writes.filter(({ resource }) => resource.plural === RESOURCES.secretProviderClassSyncs.plural).length;

describe("an edit of a class whose vault takes its time", () => {
  test("F2: is no longer answered by Ready of the edit before after half a second, and the generation comes with the answer", async () => {
    const { world, leader } = await syncedWorld();
    const before = statusWrites(world);
    answerAfter(world, 60_000);
    world.apply({ ...CLASS, objects: ["other"] });

    await world.clock.advance(1_000);
    assert.equal(world.condition(CLASS, "Ready"), "Unknown Progressing");
    assert.equal(world.condition(CLASS, "Reconciling"), "True Progressing");
    assert.equal(world.condition(CLASS, "Synced"), "True Synced");
    assert.equal(world.status(CLASS)?.observedClassGeneration, 1);
    assert.match(
      conditionOf(world.status(CLASS), "Ready")?.message ?? "",
      /^generation 2 of the class is being reconciled; .* generation 1$/,
    );

    await world.clock.advance(60_000);
    assert.equal(world.condition(CLASS, "Ready"), "False Unreachable");
    assert.equal(world.status(CLASS)?.observedClassGeneration, 2);
    assert.equal(statusWrites(world) - before, 2);
    await leader.stop();
  });

  test("is answered by one write where the vault takes less", async () => {
    const { world, leader } = await syncedWorld();
    const before = statusWrites(world);
    answerAfter(world, 400);
    world.apply({ ...CLASS, objects: ["other"] });

    await world.clock.advance(450);
    assert.equal(world.condition(CLASS, "Ready"), "False Unreachable");
    assert.equal(statusWrites(world) - before, 1);
    await leader.stop();
  });

  test("is looked at by the next worker where this one ended meanwhile", async () => {
    const { world, leader } = await syncedWorld();
    answerAfter(world, 60_000);
    world.apply({ ...CLASS, objects: ["other"] });
    await world.clock.advance(1_000);
    assert.equal(world.condition(CLASS, "Ready"), "Unknown Progressing");
    const stopped = leader.stop();
    await world.clock.advance(60_000);
    await stopped;
    assert.equal(world.condition(CLASS, "Ready"), "Unknown Progressing");

    world.vaults.signIn = undefined;
    const next = world.lead();
    await world.clock.advance(1_000);

    assert.equal(world.value({ namespace: "team", name: "app-other" }), "other@v2");
    assert.equal(world.condition(CLASS, "Ready"), "True Synced");
    assert.equal(world.condition(CLASS, "Reconciling"), "none");
    await next.stop();
  });
});

test("a poll that takes its time leaves Ready as it is until there is an answer", async () => {
  const { world, leader } = await syncedWorld();
  const before = statusWrites(world);
  answerAfter(world, 30_000);
  await world.clock.advance(INTERVAL + 31_000);
  assert.equal(world.condition(CLASS, "Ready"), "False Unreachable");
  assert.equal(statusWrites(world) - before, 1);
  const stopped = leader.stop();
  await world.clock.advance(31_000);
  await stopped;
});
