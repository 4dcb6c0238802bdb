import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type ObjectRef, RESOURCES } from "../../src/domain/kubernetes.ts";
import { EventsOf } from "../support/simulation/events.ts";
import { Restarts } from "../support/simulation/restarts.ts";
import { classOf, INTERVAL, type Leader, SimulatedWorld } from "../support/simulation/world.ts";

/** Milliseconds from the event until the vault's machines show the version. */
const LATE = 500;

let world: SimulatedWorld;
let events: EventsOf;

const apply = (...names: readonly string[]): void => names.forEach((name) => world.apply({ namespace: "team", name, objects: ["db"] }));

/** Ends half a minute after the vault was listed for a poll. */
async function afterPoll(): Promise<void> {
  await world.clock.advance(10 * INTERVAL);
  world.vaults.taken();
  for (let seconds = 0; seconds < 300 && !world.vaults.requests.some((request) => request.includes("list")); seconds += 1)
    await world.clock.advance(1_000);
  await world.clock.advance(30_000);
  world.vaults.taken();
}

/**
 * Returns the milliseconds from the event until the Secret of each class contains the new version. The vault shows the version
 * shortly after the event.
 */
async function arrival(...classes: readonly string[]): Promise<number> {
  const began = world.clock.now();
  await world.clock.advance(LATE);
  world.vaults.set("db");
  const wanted = `db@${world.vaults.current("db")?.version ?? ""}`;
  while (classes.some((name) => world.value({ namespace: "team", name: `${name}-db` }) !== wanted)) {
    assert.ok(world.clock.now() - began < 2 * INTERVAL, "never");
    await world.clock.advance(250);
  }
  return world.clock.now() - began;
}

describe("an event of a version that the vault shows half a second later", () => {
  let leader: Leader | undefined;

  beforeEach(async () => {
    await leader?.stop();
    leader = undefined;
    world = new SimulatedWorld();
    events = new EventsOf(world);
    world.vaults.set("db");
  });

  test("SP-2: of a key wakes no class at rest that names a secret, and one of its secret does", async () => {
    apply("a", "b", "c");
    leader = world.lead({ push: events.push });
    await afterPoll();
    events.send({ name: "db", version: "v2", type: "KeyNewVersionCreated" });
    await world.clock.advance(22_000);
    assert.deepEqual(world.vaults.taken(), []);
    assert.equal(await events.ended("looked"), 0);
    events.send({ name: "db", version: "v2" });
    await arrival("a", "b", "c");
    assert.equal(await events.ended("applied"), 3);
  });

  for (const classes of [["a"], ["a", "b", "c"]])
    test(`N1: is in the Secret at the second look, of one request for ${classes.length} classes that name the object`, async () => {
      apply(...classes);
      leader = world.lead({ push: events.push });
      await afterPoll();
      events.send({ name: "db", version: "v2" });
      const took = await arrival(...classes);
      assert.ok(took <= 2_500, `${took} ms`);
      assert.deepEqual(world.vaults.taken(), ["app: get db", "app: get db"]);
      assert.equal(await events.ended("applied"), classes.length);
    });

  test("N1: is in the Secret at the second look of a class that restarts a workload", async () => {
    const restarts = new Restarts();
    world = restarts.world;
    events = new EventsOf(world);
    restarts.team("team");
    world.vaults.set("db");
    apply("app");
    // The simulated vault counts versions across all objects: the namespace's own object has `v1`, and `db` has `v2`.
    restarts.deploy("team", "web", { template: { inject: "true", "secret-provider-class": "app" } });
    await restarts.lead({ push: events.push });
    await afterPoll();
    events.send({ name: "db", version: "v3" });
    const took = await arrival("app");
    assert.ok(took <= 2_500, `${took} ms: ${world.vaults.taken().join()}`);
    await restarts.stop();
  });

  test("N1: waits for its own next look, whatever another event of the class has asked for meanwhile", async () => {
    world.vaults.set("other");
    world.apply({ namespace: "team", name: "a", objects: ["db", "other"] });
    leader = world.lead({ push: events.push });
    await afterPoll();
    events.send({ name: "db", version: "v3" });
    await world.clock.advance(7_000);
    world.vaults.taken();
    world.vaults.set("other");
    events.send({ name: "other", version: world.vaults.current("other")?.version ?? "" });
    await world.clock.advance(1_000);
    assert.deepEqual(world.vaults.taken(), ["app: get other"]);
    assert.equal(await events.ended("applied"), 1);
    await world.clock.advance(20_000);
    assert.deepEqual(world.vaults.taken(), ["app: get db"], "its third look, after which the poll has it");
  });

  for (const [what, expiryFirst] of [
    ["after it", false],
    ["before it", true],
  ] as const)
    test(`N8: is waited for although an event of an expiry comes ${what}`, async () => {
      apply("a");
      leader = world.lead({ push: events.push });
      await afterPoll();
      const expiry = { name: "db", version: "v1", type: "SecretNearExpiry", at: world.clock.now() + 10 } as const;
      if (expiryFirst) events.send(expiry);
      events.send({ name: "db", version: "v2" });
      if (!expiryFirst) events.send(expiry);
      const took = await arrival("a");
      assert.ok(took <= 2_500, `${took} ms`);
      assert.equal(await events.ended("applied"), 1);
      await world.clock.advance(5_000);
      assert.equal(events.deleted, events.sent);
    });
});

test("N10: an event about what pods only mount, and no restart follows, is nobody's: its message goes at once", async () => {
  world = new SimulatedWorld();
  events = new EventsOf(world);
  world.vaults.set("db");
  const mirrored = classOf({ namespace: "team", name: "mounted", objects: ["db"] });
  const { secretObjects: _none, ...spec } = mirrored.spec ?? {};
  world.cluster.put(RESOURCES.secretProviderClasses, Object.assign(mirrored, { spec }));
  const leader = world.lead({ push: events.push });
  await world.clock.advance(INTERVAL);
  events.send({ name: "db", version: "v2" });
  await world.clock.advance(20_000);
  assert.equal(events.deleted, 1);
  assert.equal(await events.ended("leftToPoll"), 0);
  await leader.stop();
});

for (const [what, neighbours] of [
  ["", []],
  [", although a list from before the event would serve its poll", ["other"]],
] as const)
  test(`RC3: an event between two pods of a class that syncs while it is used makes the next pod fetch at once${what}`, async () => {
    world = new SimulatedWorld();
    events = new EventsOf(world);
    const pod = { namespace: "team", name: "web" };
    const startPod = (): void => {
      const volumes = [{ csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "a" } } }];
      world.cluster.put(RESOURCES.pods, Object.assign({ apiVersion: "v1", kind: "Pod", metadata: pod }, { spec: { volumes } }));
    };
    const annotations = { [CLASS_ANNOTATIONS.sync]: "while-used", [CLASS_ANNOTATIONS.rotationPollInterval]: "1h" };
    for (const name of ["db", ...neighbours]) world.vaults.set(name);
    world.apply({ namespace: "team", name: "a", objects: ["db"], annotations });
    for (const name of neighbours) world.apply({ namespace: "team", name, objects: [name] });
    startPod();
    const leader = world.lead({ push: events.push });
    await afterPoll();
    world.cluster.delete(RESOURCES.pods, pod);
    await world.clock.advance(1_000);
    world.vaults.set("db");
    const { version = "" } = world.vaults.current("db") ?? {};
    events.send({ name: "db", version });
    await world.clock.advance(10_000);
    assert.deepEqual(world.vaults.taken(), [], "nobody fetches without a pod");

    startPod();
    await world.clock.advance(1_000);

    assert.equal(world.value({ namespace: "team", name: "a-db" }), `db@${version}`);
    assert.equal(events.deleted, 1);
    await world.clock.advance(30_000);
    assert.equal(world.vaults.taken().filter((request) => request.includes("get db")).length, 1, "the change is fetched once");
    await leader.stop();
  });

// Seed 34 of the odd world: the next leader read the event after it had found the CRD healed, and before it had restored the class.
for (const reader of ["the leader", "the next leader"])
  test(`S20: ${reader} acts on an event about a class that was lost with its CRD and is not restored yet`, async () => {
    world = new SimulatedWorld();
    events = new EventsOf(world);
    const ref = { namespace: "team", name: "a" };
    world.vaults.set("db");
    world.apply({ ...ref, objects: ["db"], annotations: { [CLASS_ANNOTATIONS.rotationPollInterval]: "1h" } });
    let leader = world.lead({ push: events.push });
    await world.clock.advance(3 * 60 * 60_000);
    if (reader === "the next leader") await leader.stop();
    world.cluster.latency = ({ verb, resource }) => (verb === "create" && resource === RESOURCES.secretProviderClasses ? 10_000 : 0);
    loseClass(ref);
    if (reader === "the next leader") leader = world.lead({ push: events.push });
    await world.clock.advance(5_000);
    assert.equal(world.cluster.get(RESOURCES.secretProviderClasses, ref), undefined, "the control: it is not restored yet");
    world.vaults.set("db");
    const { version = "" } = world.vaults.current("db") ?? {};
    events.send({ name: "db", version });
    await world.clock.advance(2_000);
    assert.equal(events.deleted, 0);

    await world.clock.advance(10_000);

    assert.equal(world.value({ namespace: "team", name: "a-db" }), `db@${version}`);
    assert.equal(events.deleted, 1);
    await leader.stop();
  });

/** Deletes the class with its CRD, and creates the CRD anew. */
function loseClass(ref: ObjectRef): void {
  const name = "secretproviderclasses.secrets-store.csi.x-k8s.io";
  const crd = world.cluster.get(RESOURCES.customResourceDefinitions, { name });
  assert.ok(crd !== undefined);
  world.cluster.delete(RESOURCES.secretProviderClasses, ref);
  world.cluster.delete(RESOURCES.customResourceDefinitions, { name });
  const { uid: _, resourceVersion: __, managedFields: ___, creationTimestamp: ____, ...metadata } = crd.metadata;
  world.cluster.put(RESOURCES.customResourceDefinitions, { ...crd, metadata });
}
