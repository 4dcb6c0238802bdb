import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { explainClass } from "../../src/cli/explain/explain-class.ts";
import { offBecause, workerSettings } from "../../src/cli/shared/class-context.ts";
import { settingsOf } from "../../src/cli/shared/settings-in-force.ts";
import { type KubeObject, RESOURCES, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { classOf, INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";
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

const APP_ROUTINGS_LABEL = { "app.kubernetes.io/managed-by": "aks-app-routing-operator" };

/** Applies the class as the operator of App Routing does. */
function applyOfAppRouting(
  world: SimulatedWorld,
  changes: Partial<SecretProviderClass["metadata"]> = { labels: APP_ROUTINGS_LABEL },
): void {
  const made = classOf({ ...CLASS, objects: ["db"] });
  world.cluster.put(RESOURCES.secretProviderClasses, { ...made, metadata: { ...made.metadata, ...changes } });
}

describe("a class that App Routing made", () => {
  const BY_FIELDS = { managedFields: [{ manager: "aks-app-routing-operator", operation: "Apply" as const, fieldsV1: { "f:spec": {} } }] };

  for (const [what, metadata] of [
    ["by its label", { labels: APP_ROUTINGS_LABEL }],
    ["by its field manager", BY_FIELDS],
  ] as const) {
    test(`SW2: is left to App Routing, as switched off: known ${what}`, async () => {
      const world = await syncedWorld();
      world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);
      applyOfAppRouting(world, metadata);
      const leader = world.lead();
      await world.clock.advance(2 * INTERVAL);

      assert.equal(world.cluster.get<KubeObject>(RESOURCES.secrets, SECRET), undefined);
      assert.equal(world.status(CLASS), undefined);
      assert.deepEqual(world.events, []);
      const { verdict, steps } = await explained(world);
      assert.deepEqual([verdict.outcome, verdict.reason], ["unmirrored", "SwitchedOff"]);
      assert.match(verdict.message, /its creator, the AKS add-on App Routing/);
      assert.ok(steps.some(({ message }) => message.startsWith("class app is SwitchedOff (its creator, the AKS add-on App Routing)")));
      await leader.stop();
    });
  }

  test("SW2: says so where an earlier worker synced it, and to doctor, refresh and grants, which ask the same function", async () => {
    const world = await syncedWorld();
    const before = world.lead();
    await world.clock.advance(1_000);
    await before.stop();
    assert.equal(world.condition(CLASS, "Synced"), "True Synced");

    applyOfAppRouting(world);
    const leader = world.lead();
    await world.clock.advance(1_000);

    assert.equal(world.condition(CLASS, "Synced"), "Unknown SwitchedOff");
    assert.match(
      world.status(CLASS)?.conditions.find(({ type }) => type === "Synced")?.message ?? "",
      /^sync is turned off by its creator, the AKS add-on App Routing, so the worker does not update or repair the class's Secrets/,
    );
    assert.deepEqual(
      world.events.slice(1).map(({ type, reason }) => `${type} ${reason}`),
      ["Normal SwitchedOff"],
    );
    assert.ok(world.cluster.get<KubeObject>(RESOURCES.secrets, SECRET) !== undefined);
    const provider = world.cluster.get<SecretProviderClass>(RESOURCES.secretProviderClasses, CLASS);
    assert.ok(provider !== undefined);
    const settings = workerSettings(settingsOf(undefined));
    assert.equal(offBecause(settings, provider), "sync is turned off by its creator, the AKS add-on App Routing");
    await leader.stop();
  });

  test("SW2: is synced where an annotation of its own says so, as any class", async () => {
    const world = await syncedWorld();
    applyOfAppRouting(world, { labels: APP_ROUTINGS_LABEL, annotations: { "keyvault-injector.dev/sync": "always" } });
    const leader = world.lead();
    await world.clock.advance(1_000);

    assert.equal(world.condition(CLASS, "Synced"), "True Synced");
    await leader.stop();
  });

  test("SW2: does not take a Secret from another class that names it, too", async () => {
    const world = await syncedWorld();
    applyOfAppRouting(world);
    const rival = classOf({ ...CLASS, objects: ["db"] });
    const leader = world.lead();
    await world.clock.advance(1_000);
    world.cluster.put(RESOURCES.secretProviderClasses, { ...rival, metadata: { namespace: "team", name: "later" } });
    await world.clock.advance(1_000);

    assert.equal(world.condition({ namespace: "team", name: "later" }, "Synced"), "True Synced");
    await leader.stop();
  });
});
