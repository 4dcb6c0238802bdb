import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import type { PollsMade } from "../../src/sync/classes/poll-progress.ts";
import { INTERVAL, type Leader, type LeadOptions, SimulatedWorld } from "../support/simulation/world.ts";

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

const STOPPED_FOR = 3 * INTERVAL;

interface Change {
  readonly world: SimulatedWorld;
  readonly next: Leader;
  /** When the leader before renewed its lease for the last time. */
  readonly ledUntil: number;
  readonly renew: () => PollsMade;
}

/** Leads with a class for ten poll intervals, and leads again after a time without a leader, for whose start the caller prepares the cluster. */
async function changeLeaders(annotations: Readonly<Record<string, string>>, prepare: (world: SimulatedWorld) => void): Promise<Change> {
  const world = new SimulatedWorld();
  let renew: () => PollsMade = () => ({ until: undefined, owed: [] });
  const lead = ({ until, owed }: PollsMade): Leader => {
    const progress: LeadOptions["progress"] = { before: until, owed: new Set(owed), observe: (made) => (renew = made) };
    return world.lead({ progress });
  };
  world.vaults.set("db");
  await world.clock.advance(600_000);
  world.cluster.put(RESOURCES.pods, POD);
  world.apply({ ...CLASS, objects: ["db"], annotations });
  const first = lead({ until: undefined, owed: [] });
  for (let passed = 0; passed < 10 * INTERVAL; passed += 15_000) {
    await world.clock.advance(15_000);
    renew();
  }
  const before = renew();
  const ledUntil = world.clock.now();
  await first.stop();
  await world.clock.advance(STOPPED_FOR);
  prepare(world);
  return { world, next: lead(before), ledUntil, renew: () => renew() };
}

const POD: KubeObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "team", name: "web" },
  spec: { volumes: [{ csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "app" } } }] },
  status: { phase: "Running" },
} as KubeObject;

const WHILE_USED = { "keyvault-injector.dev/sync": "while-used" };

const withoutPods = (world: SimulatedWorld): void => void world.cluster.refuseLists(RESOURCES.pods);

function withoutClass({ cluster }: SimulatedWorld): void {
  cluster.delete(RESOURCES.customResourceDefinitions, CRD);
  cluster.delete(RESOURCES.secretProviderClasses, CLASS);
}

describe("what a status claims of checks by the leader before, where the new one cannot act on the class", () => {
  const CASES = {
    "a class while the pods are not listed": [{}, withoutPods],
    "a class that pods use, while these are not listed": [WHILE_USED, withoutPods],
    "a class that went with its definition": [{}, withoutClass],
  } as const;
  for (const [which, [annotations, prepare]] of Object.entries(CASES))
    test(`S21: is taken back a minute after its start, from ${which}`, async () => {
      const { world, next, ledUntil } = await changeLeaders(annotations, prepare);
      await world.clock.advance(55_000);
      assert.equal(world.condition(CLASS, "Fresh"), "True Synced");
      await world.clock.advance(15_000);

      assert.equal(world.condition(CLASS, "Fresh"), "False Stale");
      const checked = Date.parse(world.status(CLASS)?.lastSuccessfulCheckTime ?? "");
      assert.ok(checked <= ledUntil && checked >= ledUntil - INTERVAL - 15_000, `checked ${ledUntil - checked} ms before`);
      await next.stop();
    });

  test("S21: is taken back with an event, once", async () => {
    const { world, next } = await changeLeaders({}, withoutPods);
    await world.clock.advance(10 * INTERVAL);

    assert.equal(world.events.filter(({ reason }) => reason === "Stale").length, 1);
    await next.stop();
  });

  test("S21: goes by the interval of the class that went with its definition", async () => {
    const { world, next } = await changeLeaders({ "keyvault-injector.dev/rotation-poll-interval": "30m" }, withoutClass);
    await world.clock.advance(30 * 60_000);
    assert.equal(world.condition(CLASS, "Fresh"), "True Synced");
    await world.clock.advance(45 * 60_000);

    assert.equal(world.condition(CLASS, "Fresh"), "False Stale");
    await next.stop();
  });

  test("S21: lacks the polls of a class that pods use, and that is not polled until these are listed", async () => {
    const { world, next, renew } = await changeLeaders(WHILE_USED, withoutPods);
    // While the status still reports the class as fresh, the next leader goes by the polls of this one.
    await world.clock.advance(45_000);

    assert.deepEqual(renew().owed, ["team/app"]);
    await next.stop();
  });
});
