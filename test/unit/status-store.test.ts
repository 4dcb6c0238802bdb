import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import type { SimulatedCall } from "../support/simulation/cluster.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

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

/** Counts the writes of statuses from now on. */
function counting(world: SimulatedWorld): { readonly tried: () => number } {
  let tried = 0;
  world.cluster.fault = (call) => {
    if (isStatusWrite(call)) tried += 1;
    return undefined;
  };
  return { tried: () => tried };
}

describe("the status of a class that was deleted while the watch of statuses was cut off", () => {
  /** It came and went in that time. */
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
    const writes = counting(world);

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
    const writes = counting(world);

    world.vaults.set("db");
    await world.clock.advance(HOUR / 2);

    assert.equal(world.status(CLASS)?.secrets[0]?.data[0]?.version, "v2");
    assert.ok(writes.tried() < 10, `${writes.tried()} writes`);
    await leader.stop();
  });
});
