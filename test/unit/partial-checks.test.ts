import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { EventsOf } from "../support/simulation/events.ts";
import { classOf, INTERVAL, type Leader, SimulatedWorld } from "../support/simulation/world.ts";

const CLASS = { namespace: "team", name: "shop" };
const SECRET = { namespace: "team", name: "shop-a" };

/** The class mirrors `a`, and mounts `c` beside it. */
describe("a look at one object of a class whose other object is disabled", () => {
  let world: SimulatedWorld;
  let events: EventsOf;
  let leader: Leader;

  beforeEach(async () => {
    world = new SimulatedWorld();
    events = new EventsOf(world);
    world.vaults.set("a", "c");
    const spc = classOf({ ...CLASS, objects: ["a", "c"] });
    const spec = { ...spc.spec, secretObjects: spc.spec?.secretObjects?.slice(0, 1) };
    world.cluster.put(RESOURCES.secretProviderClasses, Object.assign(spc, { spec }));
    leader = world.lead({ push: events.push });
    await world.clock.advance(2 * INTERVAL);
    assert.equal(world.condition(CLASS, "Fresh"), "True Synced");
    world.vaults.enable("c", false);
    await world.clock.advance(2 * INTERVAL);
    assert.equal(world.condition(CLASS, "Fresh"), "False ObjectDisabled");
  });
  afterEach(() => leader.stop());

  const LOOKS = {
    "an event": () => {
      world.vaults.set("a");
      events.send({ name: "a", version: world.vaults.current("a")?.version ?? "" });
    },
    "a repair": () => world.cluster.delete(RESOURCES.secrets, SECRET),
  };
  for (const [what, cause] of Object.entries(LOOKS))
    test(`N5: does not make it fresh: ${what}`, async () => {
      // Each second for longer than an interval: whatever is asked meanwhile, nothing is known of `c` but that it is disabled.
      cause();
      const seen = new Set<string>();
      for (let second = 0; second < 200; second += 1) {
        await world.clock.advance(1_000);
        seen.add(world.condition(CLASS, "Fresh"));
      }
      assert.deepEqual([...seen], ["False ObjectDisabled"]);
      const value = `a@${world.vaults.current("a")?.version ?? ""}`;
      assert.equal(world.value(SECRET), value, "and does what it came for");
      world.vaults.enable("c", true);
      await world.clock.advance(2 * INTERVAL);
      assert.equal(world.condition(CLASS, "Fresh"), "True Synced");
    });
});

describe("a look at the one object of a class, which failed before", () => {
  test("N5: makes it fresh", async () => {
    const world = new SimulatedWorld();
    const events = new EventsOf(world);
    world.vaults.set("a");
    world.apply({ ...CLASS, objects: ["a"] });
    const leader = world.lead({ push: events.push, settings: { rotationPollInterval: 3_600_000 } });
    await world.clock.advance(INTERVAL);
    world.vaults.enable("a", false);
    world.apply({ ...CLASS, objects: ["a"], annotations: { "keyvault-injector.dev/refresh": "1" } });
    await world.clock.advance(5_000);
    assert.equal(world.condition(CLASS, "Fresh"), "False ObjectDisabled");
    world.vaults.set("a");
    events.send({ name: "a", version: world.vaults.current("a")?.version ?? "" });
    await world.clock.advance(5_000);
    assert.equal(world.condition(CLASS, "Fresh"), "True Synced");
    await leader.stop();
  });
});

describe("a class of which somebody undoes each repair of one Secret", () => {
  test("N9: has another Secret's new version as soon as its event comes", async () => {
    const world = new SimulatedWorld();
    const events = new EventsOf(world);
    world.vaults.set("a", "b");
    world.apply({ ...CLASS, objects: ["a", "b"] });
    const leader = world.lead({ push: events.push, settings: { rotationPollInterval: 3_600_000 } });
    await world.clock.advance(INTERVAL);
    const edit = (): void => {
      const live = world.cluster.get<KubeObject & { readonly data?: Readonly<Record<string, string>> }>(RESOURCES.secrets, SECRET);
      if (live?.data?.["value"] === "ZWRpdGVk") return;
      if (live !== undefined)
        world.cluster.put(RESOURCES.secrets, Object.assign({ ...live }, { data: { ...live.data, value: "ZWRpdGVk" } }));
    };
    const stop = new AbortController();
    const onChange = (): void => queueMicrotask(edit);
    world.cluster.watcher.reflect({ resource: RESOURCES.secrets, project: (object) => object, onChange }, stop.signal);
    edit();
    await world.clock.advance(5 * 60_000);
    world.vaults.set("b");
    const version = world.vaults.current("b")?.version ?? "";
    events.send({ name: "b", version });
    await world.clock.advance(5_000);
    assert.equal(world.value({ namespace: "team", name: "shop-b" }), `b@${version}`);
    assert.equal(await events.ended("applied"), 1);
    stop.abort();
    await leader.stop();
  });
});
