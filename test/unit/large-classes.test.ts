import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES, type Secret, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { type ControllerRevision } from "../../src/sync/healing/stored-record.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

const CLASS = { namespace: "team", name: "app" };
const SECRET = { namespace: "team", name: "app-db" };

/** Changes the class as its author would: with something that nobody reads. */
function addNote(world: SimulatedWorld, characters: number): void {
  const provider = world.cluster.get<SecretProviderClass>(RESOURCES.secretProviderClasses, CLASS);
  assert.ok(provider?.spec !== undefined);
  const { metadata, spec } = provider;
  const changed: SecretProviderClass = {
    ...provider,
    metadata: { ...metadata, generation: (metadata.generation ?? 0) + 1 },
    spec: { ...spec, parameters: { ...spec.parameters, note: "x".repeat(characters) } },
  };
  world.cluster.put(RESOURCES.secretProviderClasses, changed);
}

const snapshots = (world: SimulatedWorld): number =>
  JSON.stringify(world.cluster.all<ControllerRevision>(RESOURCES.controllerRevisions)).length;

describe("a class that is larger than any", () => {
  test("A-3: is neither mirrored nor snapshotted, says so, keeps its Secrets, and goes on when it is small again", async () => {
    const world = new SimulatedWorld();
    world.vaults.set("db");
    await world.clock.advance(600_000);
    world.apply({ ...CLASS, objects: ["db"] });
    const leader = world.lead();
    await world.clock.advance(1_000);
    assert.equal(world.condition(CLASS, "Synced"), "True Synced");

    addNote(world, 700_000);
    await world.clock.advance(2 * INTERVAL);

    assert.equal(world.condition(CLASS, "Synced"), "False InvalidClass");
    assert.ok(world.cluster.get<Secret>(RESOURCES.secrets, SECRET) !== undefined);
    assert.ok(snapshots(world) < 100_000, `snapshots of ${snapshots(world)} characters`);

    addNote(world, 300_000);
    await world.clock.advance(2 * INTERVAL);

    assert.equal(world.condition(CLASS, "Synced"), "True Synced");
    await leader.stop();
  });

  test("A-3: keeps its Secrets when it is deleted: nothing says any more that they are its own alone", async () => {
    const world = new SimulatedWorld();
    world.vaults.set("db");
    await world.clock.advance(600_000);
    world.apply({ ...CLASS, objects: ["db"] });
    const leader = world.lead();
    await world.clock.advance(1_000);

    addNote(world, 700_000);
    await world.clock.advance(2 * INTERVAL);
    world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);
    await world.clock.advance(2 * INTERVAL);

    assert.ok(world.cluster.get<Secret>(RESOURCES.secrets, SECRET) !== undefined);
    await leader.stop();
  });
});
