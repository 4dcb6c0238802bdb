import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

const HOUR_MS = 3_600_000;
const CLASS = { namespace: "team", name: "app" };
const CRD = { name: "secretproviderclasses.secrets-store.csi.x-k8s.io" };

async function worldWith(interval?: string) {
  const world = new SimulatedWorld();
  world.vaults.set("db");
  await world.clock.advance(600_000);
  const edit = (changed?: string): void =>
    world.apply({
      ...CLASS,
      objects: ["db"],
      annotations: changed === undefined ? {} : { "keyvault-injector.dev/rotation-poll-interval": changed },
    });
  edit(interval);
  const leader = world.lead();
  return { world, leader, edit };
}

/** Removes the fields that a class needs from the class definition. */
function damageCrd(world: SimulatedWorld): void {
  const crd = structuredClone(world.cluster.get<KubeObject>(RESOURCES.customResourceDefinitions, CRD));
  assert.ok(crd !== undefined);
  // The shipped definition has this form.
  const { versions } = (crd as unknown as { spec: { versions: { schema: { openAPIV3Schema: { properties: Fields } } }[] } }).spec;
  for (const { schema } of versions) delete schema.openAPIV3Schema.properties["spec"]?.properties?.["secretObjects"];
  world.cluster.delete(RESOURCES.customResourceDefinitions, CRD);
  world.cluster.put(RESOURCES.customResourceDefinitions, crd);
}

interface Fields {
  [name: string]: { readonly properties?: Record<string, unknown> } | undefined;
}

describe("what a status claims of checks", () => {
  test("W3: is not taken back by a shorter interval before a poll by it was missed", async () => {
    const { world, leader, edit } = await worldWith("1h");
    await world.clock.advance(3 * HOUR_MS - 600_000);
    edit("10m");
    const said = new Set<string>();
    for (let passed = 0; passed < 20 * 60; passed += 5) {
      await world.clock.advance(5_000);
      said.add(world.condition(CLASS, "Fresh"));
    }

    assert.deepEqual([...said], ["True Synced"]);
    assert.ok(!world.events.some(({ reason }) => reason === "Stale"));
    await leader.stop();
  });

  test("W4: has no time of a check that nobody made, where a new leader comes to a damaged definition", async () => {
    const { world, leader } = await worldWith();
    await world.clock.advance(5 * INTERVAL);
    await leader.stop();
    const stored = world.status(CLASS)?.lastSuccessfulCheckTime;
    await world.clock.advance(3 * HOUR_MS);
    damageCrd(world);

    const next = world.lead();
    await world.clock.advance(10 * INTERVAL);

    assert.equal(world.condition(CLASS, "Fresh"), "False Stale");
    assert.equal(world.status(CLASS)?.lastSuccessfulCheckTime, stored);
    await next.stop();
  });

  test("W13: is of the Secret before where the definition goes while the vault is asked, which then changes nothing", async () => {
    const { world, leader } = await worldWith();
    await world.clock.advance(3 * INTERVAL);
    world.vaults.set("db");
    // The definition disappears in the moment in which the vault answers.
    world.vaults.failure = () => {
      world.cluster.delete(RESOURCES.customResourceDefinitions, CRD);
      return undefined;
    };
    const before = world.value({ namespace: "team", name: "app-db" });
    await world.clock.advance(INTERVAL);

    assert.equal(world.cluster.get(RESOURCES.customResourceDefinitions, CRD), undefined, "the vault was asked");
    assert.equal(world.value({ namespace: "team", name: "app-db" }), before);
    await leader.stop();
  });

  test("W5: is taken back from a class that went with its definition, too", async () => {
    const { world, leader } = await worldWith();
    await world.clock.advance(5 * INTERVAL);
    world.cluster.delete(RESOURCES.customResourceDefinitions, CRD);
    world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);

    await world.clock.advance(2 * INTERVAL);
    assert.equal(world.condition(CLASS, "Fresh"), "True Synced");
    await world.clock.advance(2 * INTERVAL);
    assert.equal(world.condition(CLASS, "Fresh"), "False Stale");
    await leader.stop();
  });
});
