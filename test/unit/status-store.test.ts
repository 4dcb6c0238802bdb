import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import type { SimulatedCall } from "../support/simulation/cluster.ts";
import { silencing } from "../support/simulation/silent-vaults.ts";
import { classOf, INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

const STATUSES = RESOURCES.secretProviderClassSyncs;
const CLASS = { namespace: "team", name: "app" };
const OTHER = { namespace: "team", name: "other" };
const HOUR = 3_600_000;

async function aWorld(): Promise<SimulatedWorld> {
  const world = new SimulatedWorld();
  world.vaults.set("db");
  await world.clock.advance(HOUR);
  return world;
}

function isStatusWrite({ verb, resource }: SimulatedCall): boolean {
  return verb === "apply" && resource.plural === STATUSES.plural;
}

/** Counts the writes of statuses from now on. The first ones fail as if the API server had not answered. */
function failing(world: SimulatedWorld, first: number): { readonly tried: () => number } {
  let tried = 0;
  world.cluster.fault = (call) => {
    if (!isStatusWrite(call)) return undefined;
    tried += 1;
    return tried > first ? undefined : new KubeError("Unavailable", "no answer within 15000 ms", { retry: { kind: "backoff" } });
  };
  return { tried: () => tried };
}

describe("the status of a class that was deleted while the watch of statuses was cut off", () => {
  /** A status that the worker wrote and another client deleted while the watch was cut off. */
  async function unseen() {
    const world = await aWorld();
    const leader = world.lead();
    await world.clock.advance(1_000);
    const mend = world.cluster.cutWatches(STATUSES);
    world.apply({ ...CLASS, objects: ["db"] });
    await world.clock.advance(5_000);
    assert.equal(world.condition(CLASS, "Synced"), "True Synced");
    world.cluster.delete(STATUSES, CLASS);
    return { world, leader, mend };
  }

  test("is stored again by the poll after the watch has shown a newer one", async () => {
    const { world, leader, mend } = await unseen();
    mend();
    world.apply({ ...OTHER, objects: ["db"] });

    await world.clock.advance(2 * INTERVAL);

    assert.equal(world.condition(CLASS, "Synced"), "True Synced");
    await leader.stop();
  });

  test("is stored with its next change, by a write or two and not by endless ones", async () => {
    const { world, leader, mend } = await unseen();
    mend();
    const writes = failing(world, 0);

    world.vaults.set("db");
    await world.clock.advance(HOUR / 2);

    assert.equal(world.status(CLASS)?.secrets[0]?.data[0]?.version, "v2");
    assert.ok(writes.tried() < 10, `${writes.tried()} writes`);
    await leader.stop();
  });

  test("is stored with its next change also while the watch is cut off and still shows the object", async () => {
    const world = await aWorld();
    world.apply({ ...CLASS, objects: ["db"] });
    const leader = world.lead();
    await world.clock.advance(5_000);
    world.cluster.cutWatches(STATUSES);
    world.cluster.delete(STATUSES, CLASS);
    const writes = failing(world, 0);

    world.vaults.set("db");
    await world.clock.advance(HOUR / 2);

    assert.equal(world.status(CLASS)?.secrets[0]?.data[0]?.version, "v2");
    assert.ok(writes.tried() < 10, `${writes.tried()} writes`);
    await leader.stop();
  });
});

describe("a status whose write fails once", () => {
  test("still takes back that the class is fresh while nothing comes of its vault", async () => {
    const world = await aWorld();
    world.apply({ ...CLASS, objects: ["db"] });
    let isSilent = false;
    const leader = world.lead({ vaults: silencing(world, () => isSilent) });
    await world.clock.advance(3 * INTERVAL);
    isSilent = true;
    const writes = failing(world, 1);

    await world.clock.advance(6 * INTERVAL);

    assert.ok(writes.tried() > 0, "nothing was written");
    assert.match(world.condition(CLASS, "Fresh"), /^False/);
    await leader.stop();
  });

  const made = classOf({ ...CLASS, objects: ["db"] });
  const edit =
    (spec: object) =>
    (world: SimulatedWorld): void =>
      void world.cluster.put(RESOURCES.secretProviderClasses, { ...made, spec: { ...made.spec, ...spec } } as KubeObject);
  const never = { "keyvault-injector.dev/sync": "never" };
  const changes: readonly (readonly [what: string, change: (world: SimulatedWorld) => void, condition: string, event: string])[] = [
    ["switched off", (world) => world.apply({ ...CLASS, objects: ["db"], annotations: never }), "Unknown SwitchedOff", "SwitchedOff"],
    ["another provider's", edit({ provider: "other" }), "False InvalidClass", "InvalidClass"],
    ["too large", edit({ parameters: { ...made.spec?.parameters, note: "x".repeat(700_000) } }), "False InvalidClass", "InvalidClass"],
  ];
  for (const [what, change, condition, event] of changes) {
    test(`still says that the class is ${what}`, async () => {
      const world = await aWorld();
      world.apply({ ...CLASS, objects: ["db"] });
      const leader = world.lead();
      await world.clock.advance(5_000);
      const writes = failing(world, 1);

      change(world);
      await world.clock.advance(60_000);

      assert.ok(writes.tried() > 0, "nothing was written");
      assert.equal(world.condition(CLASS, "Synced"), condition);
      assert.equal(world.events.at(-1)?.reason, event);
      await leader.stop();
    });
  }
});
