import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ObjectRef, RESOURCES, type Secret, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { type ControllerRevision } from "../../src/sync/healing/stored-record.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

const CLASS = { namespace: "team", name: "app" };
const SECRET = { namespace: "team", name: "app-db" };

/** Changes the class as its author would, with a parameter that no program reads. */
function addNote(world: SimulatedWorld, characters: number, ref: ObjectRef = CLASS): void {
  const provider = world.cluster.get<SecretProviderClass>(RESOURCES.secretProviderClasses, ref);
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

  test("B-15: waits where those of its namespace have all the room, says so, and is mirrored as soon as one of them is gone", async () => {
    const world = new SimulatedWorld();
    world.vaults.set("db");
    await world.clock.advance(600_000);
    const names = Array.from({ length: 30 }, (_, index) => `app-${String(index).padStart(2, "0")}`);
    for (const name of names) {
      world.apply({ namespace: "team", name, objects: ["db"] });
      addNote(world, 580_000, { namespace: "team", name });
    }
    world.apply({ namespace: "other", name: "app", objects: ["db"] });
    addNote(world, 580_000, { namespace: "other", name: "app" });
    const leader = world.lead();
    await world.clock.advance(5_000);
    const stateOf = (name: string) => world.condition({ namespace: "team", name }, "Synced");
    const mirrored = () => names.filter((name) => stateOf(name) === "True Synced");

    assert.deepEqual(mirrored(), names.slice(0, 28));
    assert.equal(stateOf("app-28"), "False InvalidClass");
    assert.match(JSON.stringify(world.status({ namespace: "team", name: "app-28" })), /is waiting for memory.*16777216 bytes/);
    assert.equal(world.condition({ namespace: "other", name: "app" }, "Synced"), "True Synced");
    assert.ok(snapshots(world) < 18_000_000, `snapshots of ${snapshots(world)} characters`);

    world.cluster.delete(RESOURCES.secretProviderClasses, { namespace: "team", name: "app-03" });
    await world.clock.advance(5_000);

    assert.deepEqual(mirrored(), [...names.slice(0, 3), ...names.slice(4, 29)]);
    await leader.stop();
  });
});
