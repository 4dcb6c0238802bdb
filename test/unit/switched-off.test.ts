import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { explainClass } from "../../src/cli/explain/explain-class.ts";
import { type KubeObject, RESOURCES, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";
import { holding } from "../support/worker/held-objects.ts";

const CLASS = { namespace: "team", name: "app" };
const SECRET = { namespace: "team", name: "app-db" };
const NEVER = { annotations: { "keyvault-injector.dev/sync": "never" } };

async function syncedWorld(): Promise<SimulatedWorld> {
  const world = new SimulatedWorld();
  world.vaults.set("db");
  await world.clock.advance(600_000);
  world.apply({ ...CLASS, objects: ["db"] });
  return world;
}

/** The objects of the simulated cluster, for a command that reads them. */
function heldOf(world: SimulatedWorld) {
  const kinds = [RESOURCES.secretProviderClasses, RESOURCES.secretProviderClassSyncs, RESOURCES.secrets];
  return holding(kinds.flatMap((kind) => world.cluster.all<Manifest>(kind)));
}

function explained(world: SimulatedWorld) {
  const provider = world.cluster.get<SecretProviderClass>(RESOURCES.secretProviderClasses, CLASS);
  assert.ok(provider !== undefined);
  return explainClass({ object: "secretproviderclass/app", namespace: "team", spc: provider }, heldOf(world));
}

describe("a class that is switched off", () => {
  test("U5: says so by its annotation in its status, its event and explain, and not that it is synced", async () => {
    const world = await syncedWorld();
    const leader = world.lead();
    await world.clock.advance(1_000);
    assert.equal(world.condition(CLASS, "Synced"), "True Synced");

    world.apply({ ...CLASS, objects: ["db"], ...NEVER });
    await world.clock.advance(1_000);
    world.cluster.delete(RESOURCES.secrets, SECRET);
    await world.clock.advance(2 * INTERVAL);

    assert.equal(world.condition(CLASS, "Synced"), "Unknown SwitchedOff");
    assert.equal(world.condition(CLASS, "Fresh"), "Unknown SwitchedOff");
    assert.equal(world.status(CLASS)?.syncedSecrets, 0);
    assert.deepEqual(
      world.events.slice(1).map(({ type, reason }) => `${type} ${reason}`),
      ["Normal SwitchedOff"],
    );
    const { verdict, steps } = await explained(world);
    assert.deepEqual([verdict.outcome, verdict.reason], ["unmirrored", "SwitchedOff"]);
    assert.deepEqual(
      steps.filter(({ message }) => /is Synced/.test(message)),
      [],
    );
    await leader.stop();
  });

  test("U5: says so by the worker's setting, also where an earlier worker left its status green", async () => {
    const world = await syncedWorld();
    const before = world.lead();
    await world.clock.advance(1_000);
    await before.stop();

    const leader = world.lead({ settings: { syncSecret: false } });
    await world.clock.advance(1_000);

    assert.equal(world.condition(CLASS, "Synced"), "Unknown SwitchedOff");
    assert.match(world.status(CLASS)?.conditions[0]?.message ?? "", /--sync-secret=false/);
    await leader.stop();
  });

  test("says it once, gets no status where it never had one, and writes nothing more at rest or when another worker leads", async () => {
    const world = await syncedWorld();
    world.apply({ namespace: "team", name: "unborn", objects: ["db"], ...NEVER });
    const before = world.lead();
    await world.clock.advance(1_000);
    world.apply({ ...CLASS, objects: ["db"], ...NEVER });
    await world.clock.advance(1_000);
    const writes = world.cluster.writes.length;

    await world.clock.advance(2 * 3_600_000);
    await before.stop();
    const leader = world.lead();
    await world.clock.advance(2 * 3_600_000);

    assert.equal(world.cluster.writes.length, writes);
    assert.equal(world.status({ namespace: "team", name: "unborn" }), undefined);
    assert.equal(world.condition(CLASS, "Synced"), "Unknown SwitchedOff");
    await leader.stop();
  });

  test("is checked at once when it is switched on again, and its Secret is left as it is where it is right", async () => {
    const world = await syncedWorld();
    const leader = world.lead();
    await world.clock.advance(1_000);
    world.apply({ ...CLASS, objects: ["db"], ...NEVER });
    await world.clock.advance(3_600_000);
    const secret = world.cluster.get<KubeObject>(RESOURCES.secrets, SECRET)?.metadata.resourceVersion;

    world.apply({ ...CLASS, objects: ["db"], annotations: {} });
    await world.clock.advance(1_000);

    assert.equal(world.condition(CLASS, "Synced"), "True Synced");
    assert.equal(world.condition(CLASS, "Fresh"), "True Synced");
    assert.equal(world.cluster.get<KubeObject>(RESOURCES.secrets, SECRET)?.metadata.resourceVersion, secret);
    await leader.stop();
  });
});
