import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { SimulatedWorld } from "../support/simulation/world.ts";

const MINUTE_MS = 60_000;
const SECRET = { namespace: "team", name: "app-db" };

function pod(name: string): KubeObject {
  const csi = { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "app" } };
  const made = { apiVersion: "v1", kind: "Pod", metadata: { namespace: "team", name }, spec: { volumes: [{ name: "secrets", csi }] } };
  return made;
}

/** A synced class that one pod mounts. */
async function mountedClass() {
  const world = new SimulatedWorld();
  world.vaults.set("db");
  await world.clock.advance(10 * MINUTE_MS);
  world.cluster.put(RESOURCES.pods, pod("first"));
  world.apply({ namespace: "team", name: "app", objects: ["db"], annotations: { "keyvault-injector.dev/sync": "while-used" } });
  const leader = world.lead({ settings: { unusedGrace: 5 * MINUTE_MS } });
  await world.clock.advance(1_000);
  return { world, leader };
}

describe("the Secrets of a while-used class", () => {
  test("C11: stay for the whole grace after a gap in the watch of pods, in which one may have come and gone", async () => {
    const { world, leader } = await mountedClass();
    const { cluster, clock } = world;
    assert.equal(world.value(SECRET), "db@v1");

    cluster.delete(RESOURCES.pods, { namespace: "team", name: "first" });
    await clock.advance(3 * MINUTE_MS);
    const mend = cluster.cutWatches(RESOURCES.pods);
    cluster.put(RESOURCES.pods, pod("unseen"));
    await clock.advance(MINUTE_MS);
    cluster.delete(RESOURCES.pods, { namespace: "team", name: "unseen" });
    mend();

    await clock.advance(4.5 * MINUTE_MS);
    assert.equal(world.value(SECRET), "db@v1", "it went although the grace was not over");
    // The control: without another gap, the Secret is deleted.
    await clock.advance(MINUTE_MS);
    assert.equal(world.value(SECRET), undefined);
    await leader.stop();
  });

  test("stay where the grace is over while the watch of pods is broken, however short the break", async () => {
    const { world, leader } = await mountedClass();
    const { cluster, clock } = world;

    cluster.delete(RESOURCES.pods, { namespace: "team", name: "first" });
    await clock.advance(4.5 * MINUTE_MS);
    const mend = cluster.cutWatches(RESOURCES.pods);
    cluster.put(RESOURCES.pods, pod("unseen"));
    await clock.advance(10_000);
    cluster.delete(RESOURCES.pods, { namespace: "team", name: "unseen" });
    await clock.advance(0.5 * MINUTE_MS);
    assert.equal(world.value(SECRET), "db@v1", "it went while nobody could see its pods");

    mend();
    await clock.advance(4.5 * MINUTE_MS);
    assert.equal(world.value(SECRET), "db@v1", "it went although the grace was not over");
    // The control: the Secret is deleted after the grace period.
    await clock.advance(MINUTE_MS);
    assert.equal(world.value(SECRET), undefined);
    await leader.stop();
  });
});
