import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RESOURCES, type Secret, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import type { VaultClient, VaultClients } from "../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { storeAsBefore } from "../support/fixtures/older-status.ts";
import { classOf, INTERVAL, type Leader, type LeadOptions, SimulatedWorld } from "../support/simulation/world.ts";

const CLASS = { namespace: "team", name: "app" };
const SECRET = { namespace: "team", name: "app" };
const HOUR = 3_600_000;
const NEVER = { "keyvault-injector.dev/sync": "never" };

interface Edit {
  readonly object?: string;
  readonly keys?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly encoding?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A class with one Secret, `app`. */
function classWith({ object = "db", keys = ["k1"], labels = {}, encoding = "utf-8", annotations = {} }: Edit): SecretProviderClass {
  const made = classOf({ ...CLASS, objects: [object], annotations });
  const entry = `objectName: ${object}\n    objectType: secret\n    objectEncoding: ${encoding}\n`;
  const data = keys.map((key) => ({ objectName: object, key }));
  return {
    ...made,
    spec: {
      ...made.spec,
      parameters: { ...made.spec?.parameters, objects: `array:\n  - |\n    ${entry}` },
      secretObjects: [{ secretName: SECRET.name, type: "Opaque", labels, data }],
    },
  };
}

interface Started {
  readonly world: SimulatedWorld;
  readonly leader: Leader;
}

async function synced(edit: Edit, options: (world: SimulatedWorld) => LeadOptions = () => ({})): Promise<Started> {
  const world = new SimulatedWorld();
  world.vaults.set("db", "other");
  await world.clock.advance(HOUR);
  write(world, edit);
  const leader = world.lead(options(world));
  await world.clock.advance(10_000);
  assert.equal(world.condition(CLASS, "Synced"), "True Synced");
  return { world, leader };
}

function write(world: SimulatedWorld, edit: Edit): void {
  world.cluster.put(RESOURCES.secretProviderClasses, classWith(edit));
}

function recreate(world: SimulatedWorld, edit: Edit): void {
  world.cluster.delete(RESOURCES.secretProviderClasses, CLASS);
  write(world, edit);
}

function cutOff(world: SimulatedWorld): void {
  world.vaults.failure = (url) => new VaultError("Unreachable", `${url}: no answer`, { retry: { kind: "backoff" }, origin: "vault" });
}

function secretOf(world: SimulatedWorld): Secret | undefined {
  return world.cluster.get<Secret>(RESOURCES.secrets, SECRET);
}

/** The content of the Secret, in which an edit is visible, such as `k1=db@v1 team=a`. */
function contentOf(world: SimulatedWorld): string {
  const secret = secretOf(world);
  const keys = Object.entries(secret?.data ?? {}).map(([key, value]) => `${key}=${Buffer.from(value, "base64").toString()}`);
  return [...keys, `team=${secret?.metadata.labels?.["team"] ?? ""}`].join(" ");
}

/** The simulated vaults, with this text as every value. */
function holding(world: SimulatedWorld, text: string): VaultClients {
  const made = new WeakMap<VaultClient, VaultClient>();
  return {
    clientFor: (address, identity, namespace) => {
      const client = world.vaults.clientFor(address, identity, namespace);
      const getSecret: typeof client.getSecret = async (...asked) => ({
        ...(await client.getSecret(...asked)),
        value: Sensitive.ofText(text),
      });
      const known = made.get(client) ?? { ...client, getSecret };
      made.set(client, known);
      return known;
    },
  };
}

const EDITS: readonly (readonly [what: string, before: Edit, after: Edit, content: string])[] = [
  ["a key is taken out", { keys: ["k1", "k2"] }, { keys: ["k1"] }, "k1=db@v1 team="],
  ["a label is taken out", { labels: { team: "a" } }, {}, "k1=db@v1 team="],
  ["a label is added", {}, { labels: { team: "a" } }, "k1=db@v1 team=a"],
  ["the object is another", {}, { object: "other" }, "k1=other@v2 team="],
];

describe("an edit of a class", () => {
  for (const [what, before, after, content] of EDITS) {
    test(`reaches its Secret although the vault is away at first: ${what}`, async () => {
      const { world, leader } = await synced(before);
      cutOff(world);
      write(world, after);
      await world.clock.advance(20_000);
      assert.match(world.condition(CLASS, "Fresh"), /^False/);

      world.vaults.failure = undefined;
      await world.clock.advance(10 * 60_000);

      assert.equal(world.condition(CLASS, "Synced"), "True Synced");
      assert.equal(contentOf(world), content);
      await leader.stop();
    });

    test(`reaches its Secret although the worker restarts before the vault is back: ${what}`, async () => {
      const { world, leader } = await synced(before);
      cutOff(world);
      write(world, after);
      await world.clock.advance(20_000);
      await leader.stop();
      const next = world.lead();
      await world.clock.advance(20_000);

      world.vaults.failure = undefined;
      await world.clock.advance(10 * 60_000);

      assert.equal(contentOf(world), content);
      await next.stop();
    });

    test(`reaches its Secret once the class is switched on again: ${what}`, async () => {
      const { world, leader } = await synced(before);
      write(world, { ...before, annotations: NEVER });
      await world.clock.advance(10_000);
      write(world, { ...after, annotations: NEVER });
      await world.clock.advance(10_000);

      write(world, after);
      await world.clock.advance(10_000);

      assert.equal(contentOf(world), content);
      await leader.stop();
    });

    test(`is seen where the class was deleted and created with it at once: ${what}`, async () => {
      const { world, leader } = await synced(before, () => ({ settings: { enableSecretRotation: false } }));

      recreate(world, after);
      await world.clock.advance(10_000);

      assert.equal(world.status(CLASS)?.observedClassGeneration, 1);
      assert.equal(contentOf(world), content);
      await leader.stop();
    });

    test(`is seen where the class was deleted and created with it while no replica led: ${what}`, async () => {
      const settings = { enableSecretRotation: false };
      const { world, leader } = await synced(before, () => ({ settings }));
      await leader.stop();

      recreate(world, after);
      const next = world.lead({ settings });
      await world.clock.advance(10_000);

      assert.equal(contentOf(world), content);
      await next.stop();
    });
  }

  test("of the encoding reaches the Secret although the vault is away at first", async () => {
    const { world, leader } = await synced({}, (made) => ({ vaults: holding(made, "aGVsbG8=") }));
    cutOff(world);
    write(world, { encoding: "base64" });
    await world.clock.advance(20_000);

    world.vaults.failure = undefined;
    await world.clock.advance(10 * 60_000);

    assert.equal(contentOf(world), "k1=hello team=");
    await leader.stop();
  });

  test("that the values do not allow stays a failure at each poll, and ends with the edit that takes it back", async () => {
    const { world, leader } = await synced({});
    write(world, { encoding: "base64" });
    await world.clock.advance(10_000);
    assert.equal(world.condition(CLASS, "Synced"), "False InvalidObject");

    for (let poll = 0; poll < 5; poll += 1) {
      await world.clock.advance(INTERVAL);
      assert.equal(world.condition(CLASS, "Synced"), "False InvalidObject");
    }
    write(world, {});
    await world.clock.advance(10_000);

    assert.equal(world.condition(CLASS, "Synced"), "True Synced");
    await leader.stop();
  });

  test("that mends a failing class is tried at once although it is a new class of the same name", async () => {
    const annotations = { "keyvault-injector.dev/rotation-poll-interval": "24h" };
    const world = new SimulatedWorld();
    world.vaults.set("db");
    await world.clock.advance(HOUR);
    write(world, { object: "absent", annotations });
    const leader = world.lead();
    await world.clock.advance(10_000);
    assert.equal(world.condition(CLASS, "Synced"), "False ObjectNotFound");

    recreate(world, { annotations });
    await world.clock.advance(10_000);

    assert.equal(contentOf(world), "k1=db@v1 team=");
    await leader.stop();
  });
});

describe("a class that nobody has edited", () => {
  test("is fetched only once when it is deleted and created as it was", async () => {
    const { world, leader } = await synced({}, () => ({ settings: { enableSecretRotation: false } }));
    world.vaults.taken();
    const { writes } = world.cluster;
    const before = writes.length;

    recreate(world, {});
    await world.clock.advance(HOUR);

    assert.deepEqual(world.vaults.taken(), []);
    const changed = writes.slice(before).map(({ resource }) => resource.plural);
    assert.equal(changed.includes(RESOURCES.secrets.plural), false, changed.join());
    await leader.stop();
  });

  test("is not fetched anew when the vault was away", async () => {
    const { world, leader } = await synced({});
    cutOff(world);
    await world.clock.advance(5 * INTERVAL);
    world.vaults.failure = undefined;
    await world.clock.advance(5 * INTERVAL);
    assert.equal(world.condition(CLASS, "Fresh"), "True Synced");

    assert.deepEqual(
      world.vaults.requests.slice(1).filter((request) => request.startsWith("app: get")),
      [],
    );
    await leader.stop();
  });

  test("is not fetched because the worker of 0.3.0 left no hashes, and its status is written once, for its form", async () => {
    const { world, leader } = await synced({});
    await leader.stop();
    await storeAsBefore(world, CLASS);
    world.vaults.taken();
    const before = world.cluster.writes.length;

    const next = world.lead();
    await world.clock.advance(HOUR / 2);
    assert.deepEqual(
      world.vaults.taken().filter((request) => request !== "app: list secrets"),
      [],
    );
    assert.deepEqual(
      world.cluster.writes.slice(before).map(({ resource }) => resource.plural),
      [RESOURCES.secretProviderClassSyncs.plural],
    );
    await world.clock.advance(HOUR);

    const hashes = world.status(CLASS)?.secrets.map((secret) => typeof (secret as { readonly specHash?: unknown }).specHash);
    assert.deepEqual(hashes, ["string"]);
    await next.stop();
  });

  test("has an edit in the next outage although the worker of 0.3.0 left no hashes", async () => {
    const { world, leader } = await synced({ keys: ["k1", "k2"] });
    await leader.stop();
    await storeAsBefore(world, CLASS);
    cutOff(world);
    const next = world.lead();
    await world.clock.advance(1_000);
    write(world, {});
    await world.clock.advance(20_000);

    world.vaults.failure = undefined;
    await world.clock.advance(10 * 60_000);

    assert.equal(contentOf(world), "k1=db@v1 team=");
    await next.stop();
  });
});
