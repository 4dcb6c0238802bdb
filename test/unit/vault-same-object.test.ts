import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { checkSecrets } from "../../src/cli/doctor/class/secrets.ts";
import type { ClassContext } from "../../src/cli/shared/class-context.ts";
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { ObjectFile } from "../../src/domain/content/object-file.ts";
import { RESOURCES, type Secret } from "../../src/domain/kubernetes.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { firstExpiries } from "../../src/domain/sync/class-figures.ts";
import type { SecretStatus } from "../../src/domain/sync/status-fields.ts";
import { reasonOf } from "../support/fixtures/stored-class.ts";
import { classOf, type Leader, SimulatedWorld } from "../support/simulation/world.ts";
import { INTERVAL, type PolledClass, type PolledClassFacts, PollingWorker } from "../support/worker/polling-worker.ts";

let worker: PollingWorker;

beforeEach(() => {
  worker = new PollingWorker();
});

/** The current version of `db` as a fixed version in the file `pin`, and the latest version in the file `cur`. */
async function aClassOfBoth(order: string, secrets: Readonly<Record<string, readonly string[]>>): Promise<PolledClass> {
  await worker.givenObjects("db");
  const pin = { objectName: "db", objectAlias: "pin", objectVersion: currentVersion() };
  const cur = { objectName: "db", objectAlias: "cur" };
  const one = await worker.synced({ objects: order === "pinned first" ? [pin, cur] : [cur, pin], secrets });
  await one.poll();
  await worker.clock.advance(INTERVAL);
  return one;
}

function currentVersion(name = "db"): string {
  return worker.vaults.current(name)?.version ?? "";
}

function versionUnder(one: PolledClass, key: string): string | undefined {
  return one.stored.flatMap(({ data }) => data).find((entry) => entry.key === key)?.version;
}

async function nextPoll(one: PolledClass): Promise<void> {
  await worker.clock.advance(INTERVAL);
  await one.poll();
}

const BOTH = { app: ["pin", "cur"] };

describe("an object that a class names twice, by its version and without one", () => {
  for (const order of ["pinned first", "latest first"] as const) {
    test(`C1: shows its rotation at the next poll, ${order}, and is at rest afterwards`, async () => {
      const one = await aClassOfBoth(order, BOTH);
      const pinned = currentVersion();
      worker.vaults.set("db");

      await worker.clock.advance(INTERVAL);
      assert.equal(reasonOf(await one.poll()), "Synced");

      assert.deepEqual([versionUnder(one, "pin"), versionUnder(one, "cur")], [pinned, currentVersion()]);
      worker.vaults.taken();
      for (let round = 0; round < 3; round += 1) await nextPoll(one);
      assert.deepEqual(
        worker.vaults.taken(),
        Array.from({ length: 3 }, () => "app: list secrets"),
      );
    });

    test(`C1: shows its rotation after a start of the worker, ${order}`, async () => {
      const one = await aClassOfBoth(order, BOTH);
      worker.vaults.set("db");
      worker.start();
      await nextPoll(one);
      assert.equal(versionUnder(one, "cur"), currentVersion());
    });
  }

  test("C1: shows its rotation although another class of the identity saw it first", async () => {
    const one = await aClassOfBoth("pinned first", { app: ["cur"] });
    const other = await worker.synced({ objects: ["db"] }, "other");
    worker.vaults.set("db");
    await nextPoll(other);
    assert.equal(other.versions[0], currentVersion());

    await nextPoll(one);

    assert.equal(versionUnder(one, "cur"), currentVersion());
  });

  test("C1: is known after a start by what each of its files was made from", async () => {
    const one = await aClassOfBoth("latest first", BOTH);
    worker.vaults.set("db");
    await nextPoll(one);
    // The second of the change is over, whatever the difference between the clocks.
    for (let round = 0; round < 5; round += 1) await nextPoll(one);
    worker.vaults.taken();
    worker.start();

    await nextPoll(one);

    assert.deepEqual(worker.vaults.taken(), ["app: list secrets"]);
  });
});

describe("two objects that make the same file", () => {
  test("C1: show that the later one is there again, although the earlier one has not changed", async () => {
    await worker.givenObjects("first", "second", "further");
    const objects = ["first", "second"].map((objectName) => ({ objectName, objectAlias: "x" }));
    const one = await worker.synced({ objects: [...objects, "further"], secrets: { app: ["x", "further"] } });
    assert.equal(versionUnder(one, "x"), currentVersion("second"));

    worker.vaults.delete("second");
    await nextPoll(one);
    assert.equal(versionUnder(one, "x"), currentVersion("first"));
    worker.vaults.set("second");
    for (let round = 0; round < 2; round += 1) await nextPoll(one);

    assert.equal(versionUnder(one, "x"), currentVersion("second"));
  });
});

describe("the expiry of an object that a class names twice", () => {
  test("C1: is the earlier one of the two versions", () => {
    const [soon, late] = ["2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"];
    const key = (name: string, expires: string) => ({ key: name, object: "secret/db", version: name, expires });
    const data = [key("pin", soon), key("cur", late)];
    const status = {
      observedClassGeneration: 1,
      conditions: [],
      syncedSecrets: 1,
      desiredSecrets: 1,
      secrets: [{ name: "db", state: "Synced", data } as const],
    };

    assert.deepEqual(
      firstExpiries([{ key: "team/demo", status }]).map(({ expires }) => expires),
      [Date.parse(soon)],
    );
  });
});

describe("a Secret made from an object that its class names twice", () => {
  test("C1: is behind for doctor where the file of its own key has a newer version, and not by the other's", async () => {
    const one = await aClassOfBoth("pinned first", BOTH);
    const older = currentVersion();
    worker.vaults.set("db");
    const fileOf = (path: string, version: string): ObjectFile => ({
      path,
      contents: Sensitive.ofText("v"),
      objectId: "secret/db",
      version,
      updated: undefined,
      expires: undefined,
    });
    const files = [fileOf("pin", older), fileOf("cur", currentVersion())];

    const leaves = async (held: string): Promise<readonly string[]> => {
      const data = one.stored[0]?.data.map((key) => (key.key === "cur" ? { ...key, version: held } : key)) ?? [];
      const objects = data.map(({ object, version }) => `${object}@${version}`).join(",");
      const annotations = { [SECRET_ANNOTATIONS.class]: "class", [SECRET_ANNOTATIONS.objects]: objects };
      const metadata = { namespace: "team", name: "app", labels: { [MANAGED_LABEL]: "true" }, annotations };
      const secret: Secret = { apiVersion: "v1", kind: "Secret", metadata, data: { pin: "dg==", cur: "dg==" } };
      const viewer = { object: async () => ({ kind: "seen", value: secret }) };
      // The check reads nothing else if the user may read the Secret but not the install's key.
      const context: ClassContext = Object.assign(Object.create(null), { viewer, install: { fingerprints: undefined } });
      const secrets: readonly SecretStatus[] = [{ name: "app", state: "Synced", data }];
      const status = { observedClassGeneration: 1, conditions: [], secrets };
      return (await checkSecrets(context, one.provider, { status, files })).map(({ leaf }) => leaf);
    };

    assert.deepEqual(await leaves(older), ["secret-behind"]);
    assert.deepEqual(await leaves(currentVersion()), ["secret-ok"]);
  });
});

describe("an object in two entries of a class", () => {
  /**
   * `db` is the first and the last of six objects, of which the worker requests four at a time. The vault rotates `db` after this
   * number of answers.
   */
  async function rotatedAmid(
    answers: number,
    entry: Readonly<Record<string, string>>,
    secrets?: PolledClassFacts["secrets"],
  ): Promise<PolledClass> {
    await worker.givenObjects("db", "p", "q", "r", "s");
    const first = { objectName: "db", objectAlias: "a", ...entry };
    const last = { ...first, objectAlias: "b" };
    let asked = 0;
    worker.vaults.failure = () => {
      asked += 1;
      if (asked === answers) worker.vaults.set("db");
      return undefined;
    };
    return worker.aClass("class", { objects: [first, "p", "q", "r", "s", last], ...(secrets && { secrets }) });
  }

  test("W7: has one version in a Secret, where it is rotated in the midst of a fetch", async () => {
    const one = await rotatedAmid(4, {}, { app: ["a", "b"] });
    await one.first();
    assert.notEqual(versionUnder(one, "a"), undefined);
    assert.equal(versionUnder(one, "a"), versionUnder(one, "b"));
    const gets = worker.vaults.taken().filter((request) => request.endsWith("get db"));
    assert.equal(gets.length, 1);
  });

  test("W7: has one history, where it is rotated in the midst of a fetch", async () => {
    // A list that is too long to be kept for other classes.
    for (let version = 0; version < 510; version++) worker.vaults.set("db");
    const one = await rotatedAmid(5, { objectVersionHistory: "2" });
    await one.first();
    const [first, last] = [one.versions[0], one.versions[5]];
    assert.notEqual(first, undefined);
    assert.equal(first, last);
  });

  test("W7: fails in both entries by one answer, and is there in both once it is there", async () => {
    await worker.givenObjects("db");
    worker.vaults.enable("db", false);
    const twice = [
      { objectName: "db", objectAlias: "a" },
      { objectName: "db", objectAlias: "b" },
    ];
    const one = worker.aClass("class", { objects: twice, secrets: { app: ["a"], other: ["b"] } });
    assert.equal(reasonOf(await one.first()), "ObjectDisabled");
    worker.vaults.enable("db", true);
    await nextPoll(one);
    assert.deepEqual([versionUnder(one, "a"), versionUnder(one, "b")], [currentVersion(), currentVersion()]);
  });
});

describe("two entries of a Secret with the same key", () => {
  const REF = { namespace: "team", name: "app" };
  let world: SimulatedWorld;
  let leader: Leader;

  beforeEach(async () => {
    world = new SimulatedWorld();
    world.vaults.set("x", "y");
    await world.clock.advance(600_000);
    const spc = classOf({ ...REF, objects: ["x", "y"] });
    const data = ["x", "y"].map((objectName) => ({ objectName, key: "value" }));
    const twice = { ...spc, spec: { ...spc.spec, secretObjects: [{ secretName: "twice", type: "Opaque", data }] } };
    world.cluster.put(RESOURCES.secretProviderClasses, twice);
    leader = world.lead();
    await world.clock.advance(3 * INTERVAL);
    world.vaults.taken();
  });

  afterEach(() => leader.stop());

  test("W11: are at rest while both objects are as they were", async () => {
    await world.clock.advance(10 * INTERVAL);
    assert.deepEqual(
      world.vaults.taken(),
      Array.from({ length: 10 }, () => "app: list secrets"),
    );
  });

  test("W11: show the rotation of the later one", async () => {
    world.vaults.set("y");
    await world.clock.advance(INTERVAL);
    assert.equal(world.value({ namespace: "team", name: "twice" }), `y@${world.vaults.current("y")?.version}`);
  });

  test("W11: fail where the earlier one is gone", async () => {
    world.vaults.delete("x");
    await world.clock.advance(INTERVAL);
    assert.equal(world.condition(REF, "Synced"), "False ObjectNotFound");
  });
});
