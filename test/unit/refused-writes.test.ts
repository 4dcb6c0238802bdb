import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ObjectRef, RESOURCES } from "../../src/domain/kubernetes.ts";
import { KubeError, type KubeErrorCode } from "../../src/domain/ports/kube-error.ts";
import type { Retry } from "../../src/domain/ports/retry.ts";
import type { SecretStatus } from "../../src/domain/sync/status-fields.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

const CLASS = { namespace: "team", name: "app" };
const OBJECTS = ["a", "b", "c", "d", "e", "f"];

const secretOf = (object: string): ObjectRef => ({ namespace: "team", name: `app-${object}` });

async function syncedWorld(objects: readonly string[] = OBJECTS) {
  const world = new SimulatedWorld();
  world.vaults.set(...objects);
  await world.clock.advance(600_000);
  world.apply({ ...CLASS, objects });
  const leader = world.lead();
  await world.clock.advance(3 * INTERVAL);
  assert.equal(world.condition(CLASS, "Ready"), "True Synced");
  return { world, leader };
}

interface Refused {
  readonly code: KubeErrorCode;
  readonly status?: number;
  readonly retry?: Retry;
}

/** Makes the API server refuse each write of the Secret. */
function refuseWritesOf(world: SimulatedWorld, object: string, { code, status = 500, retry = { kind: "backoff" } }: Refused): void {
  world.cluster.fault = ({ verb, resource, ref }) =>
    resource === RESOURCES.secrets && ref.name === secretOf(object).name && verb !== "get"
      ? new KubeError(code, `${verb} secrets team/${ref.name}: HTTP ${status}`, { retry, status })
      : undefined;
}

const stored = (world: SimulatedWorld, object: string): SecretStatus | undefined =>
  world.status(CLASS)?.secrets.find(({ name }) => name === secretOf(object).name);

const gets = (world: SimulatedWorld): readonly string[] => world.vaults.requests.filter((request) => / get /.test(request));

const current = (world: SimulatedWorld, object: string): string => `${object}@${world.vaults.current(object)?.version}`;

describe("a Secret that the API server does not take", () => {
  const codes: readonly (readonly [string, Refused, string])[] = [
    ["an internal error", { code: "Unavailable" }, "Unreachable"],
    ["a conflict each time", { code: "Conflict", status: 409 }, "Unreachable"],
    ["too many requests", { code: "Throttled", status: 429 }, "Throttled"],
    ["no right to it", { code: "Forbidden", status: 403 }, "Forbidden"],
  ];
  for (const [what, refused, state] of codes) {
    test(`W1: is told in the status (${what}), and the other Secrets of its class are as the vault has them`, async () => {
      const { world, leader } = await syncedWorld();
      refuseWritesOf(world, "a", refused);
      world.vaults.set(...OBJECTS);

      await world.clock.advance(2 * INTERVAL);

      const others = OBJECTS.slice(1);
      assert.deepEqual(
        others.map((object) => world.value(secretOf(object))),
        others.map((object) => current(world, object)),
      );
      assert.equal(world.condition(CLASS, "Synced"), "False PartialSync");
      assert.equal(world.condition(CLASS, "Ready"), "False PartialSync");
      assert.equal(world.condition(CLASS, "Fresh"), "True Synced");
      assert.equal(stored(world, "a")?.state, state);
      assert.match(stored(world, "a")?.message ?? "", /secrets team\/app-a: HTTP \d+$/);
      // The status still contains the version that the Secret holds, which is the previous one.
      assert.equal(`a@${stored(world, "a")?.data[0]?.version}`, world.value(secretOf("a")));
      await leader.stop();
    });
  }

  test("W1: has the vault asked for its own object alone when it is tried again, and is written once that works", async () => {
    const { world, leader } = await syncedWorld();
    refuseWritesOf(world, "a", { code: "Unavailable" });
    world.vaults.set(...OBJECTS);
    await world.clock.advance(2 * INTERVAL);
    world.vaults.taken();

    await world.clock.advance(5 * INTERVAL);
    const asked = gets(world);
    assert.ok(asked.length > 0, "it is tried again");
    assert.deepEqual(
      asked.filter((request) => !/ a\b/.test(request)),
      [],
    );

    world.cluster.fault = () => undefined;
    await world.clock.advance(60_000);
    assert.equal(world.value(secretOf("a")), current(world, "a"));
    assert.equal(world.condition(CLASS, "Ready"), "True Synced");
    await leader.stop();
  });

  test("W1: of a class that is new has a status, too", async () => {
    const world = new SimulatedWorld();
    world.vaults.set(...OBJECTS);
    refuseWritesOf(world, "a", { code: "Unavailable" });
    world.apply({ ...CLASS, objects: OBJECTS });
    const leader = world.lead();
    await world.clock.advance(30_000);

    assert.equal(world.condition(CLASS, "Synced"), "False PartialSync");
    assert.deepEqual(
      OBJECTS.map((object) => stored(world, object)?.state),
      ["Unreachable", ...OBJECTS.slice(1).map(() => "Synced")],
    );
    await leader.stop();
  });

  test("W1: is not told of where one attempt fails and the next does not, a moment later", async () => {
    const { world, leader } = await syncedWorld(["a"]);
    const before = world.events.length;
    let failures = 0;
    world.cluster.fault = ({ verb, resource }) => {
      if (resource !== RESOURCES.secrets || verb !== "apply" || failures > 0) return undefined;
      failures += 1;
      return new KubeError("Conflict", "changed meanwhile", { retry: { kind: "backoff" }, status: 409 });
    };
    world.vaults.set("a");
    world.vaults.taken();

    await world.clock.advance(INTERVAL);

    assert.equal(failures, 1);
    assert.equal(world.value(secretOf("a")), current(world, "a"));
    assert.equal(gets(world).length, 1);
    assert.deepEqual(world.events.slice(before), []);
    await leader.stop();
  });

  test("W1: is tried again when the API server says, if it says so", async () => {
    const { world, leader } = await syncedWorld(["a"]);
    let tries = 0;
    world.cluster.fault = ({ verb, resource }) => {
      if (resource !== RESOURCES.secrets || verb !== "apply") return undefined;
      tries += 1;
      return new KubeError("Throttled", "later", { retry: { kind: "after", milliseconds: 50_000 }, status: 429 });
    };
    world.vaults.set("a");
    await world.clock.advance(INTERVAL);
    // At its poll, and 50 s after each attempt.
    assert.ok(tries >= 1 && tries <= 3, `${tries} tries`);
    await leader.stop();
  });

  test("W1: ends the reconcile without a word where another replica may lead", async () => {
    const { world, leader } = await syncedWorld();
    refuseWritesOf(world, "a", { code: "NotLeading", status: 0 });
    world.vaults.set(...OBJECTS);
    await world.clock.advance(INTERVAL);

    assert.equal(world.condition(CLASS, "Synced"), "True Synced");
    await leader.stop();
  });

  test("W1: is not waited for one by one where the API server says nothing at all", async () => {
    const objects = Array.from({ length: 20 }, (_, index) => `o${index}`);
    const { world, leader } = await syncedWorld(objects);
    const tries: string[] = [];
    world.cluster.latency = ({ verb, resource }) => (resource === RESOURCES.secrets && verb === "apply" ? 5_000 : 0);
    world.cluster.fault = ({ verb, resource }) => {
      if (resource !== RESOURCES.secrets || verb !== "apply") return undefined;
      tries.push(verb);
      return new KubeError("Unavailable", "apply secrets: no answer", { retry: { kind: "backoff" } });
    };
    world.vaults.set(...objects);
    for (let waited = 0; waited < 2 * INTERVAL && tries.length === 0; waited += 1_000) await world.clock.advance(1_000);
    await world.clock.advance(1_000);

    assert.equal(tries.length, 4);
    assert.equal(world.condition(CLASS, "Synced"), "False Unreachable");
    await leader.stop();
  });
});

describe("a Secret that is deleted to be made anew", () => {
  async function immutableWorld() {
    const { world, leader } = await syncedWorld(["a"]);
    const changed = { apiVersion: "v1", kind: "Secret", metadata: secretOf("a"), immutable: true };
    world.cluster.put(RESOURCES.secrets, changed, "somebody");
    await world.clock.advance(INTERVAL);
    const before = world.events.length;
    let failures = 0;
    /** Makes this number of creates fail after the deletion. */
    const failCreates = (count: number): void => {
      world.cluster.fault = ({ verb, resource }) => {
        const isCreate = resource === RESOURCES.secrets && verb === "create";
        if (!isCreate || world.cluster.get(RESOURCES.secrets, secretOf("a")) !== undefined || failures >= count) return undefined;
        failures += 1;
        return new KubeError("Unavailable", "create secrets team/app-a: HTTP 500", { retry: { kind: "backoff" }, status: 500 });
      };
    };
    const reasons = (): readonly string[] => world.events.slice(before).map(({ reason }) => reason);
    return { world, leader, failCreates, reasons };
  }

  test("W9: is there at once where the first create fails, without the vault, and the event says what happened", async () => {
    const { world, leader, failCreates, reasons } = await immutableWorld();
    failCreates(1);
    world.vaults.set("a");
    world.vaults.taken();
    await world.clock.advance(INTERVAL);

    assert.equal(world.value(secretOf("a")), current(world, "a"));
    assert.equal(gets(world).length, 1);
    assert.deepEqual(reasons(), ["SecretReplaced"]);
    await leader.stop();
  });

  test("W9: is nobody else's deletion where the create goes on failing", async () => {
    const { world, leader, failCreates, reasons } = await immutableWorld();
    failCreates(5);
    world.vaults.set("a");
    await world.clock.advance(2 * INTERVAL);

    assert.equal(world.value(secretOf("a")), current(world, "a"));
    assert.deepEqual(
      reasons().filter((reason) => reason === "SecretReplaced" || reason === "SecretRepaired"),
      ["SecretReplaced"],
    );
    await leader.stop();
  });
});
