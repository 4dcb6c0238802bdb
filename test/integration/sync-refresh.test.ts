import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { ClassStatus } from "../../src/domain/sync/status-fields.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  askNow,
  assertNothingForbidden,
  classOf,
  createClass,
  dataOf,
  fetchesOf,
  opaque,
  type Place,
  reasonIs,
  type SyncWorld,
  startSyncWorld,
  statusOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();

let world: SyncWorld;

/** Creates a synced class whose next poll is a day away. */
async function givenSynced(...objects: readonly string[]): Promise<Place> {
  const place = { namespace: await world.namespace(), name: "demo" };
  await createClass(world.plane, classOf(world, { ...place, objects, secretObjects: objects.map((object) => opaque(object, object)) }));
  await reasonIs(world.plane, place, "Synced");
  return place;
}

function statusWhere({ namespace, name }: Place, what: string, holds: (status: ClassStatus) => boolean): Promise<ClassStatus> {
  return eventually(
    async () => {
      const status = await statusOf(world.plane, namespace, name);
      return status !== undefined && holds(status) && status;
    },
    { what, within: 60_000 },
  );
}

const conditionIn = ({ conditions }: ClassStatus, type: string) => conditions.find((one) => one.type === type)?.status;

async function valueOf({ namespace }: Place, name: string): Promise<string | undefined> {
  return (await dataOf(world.plane, namespace, name))?.["value"];
}

describe("a refresh that is asked for while the vault gives no answer", {
  skip: refusal === undefined ? false : `SKIPPED: ${refusal}`,
}, () => {
  before(async () => {
    world = await startSyncWorld();
    await world.emulator.grant({ vault: world.vault, appId: world.principal.appId, permissions: ["list"] });
    await world.product.start("sync", { args: ["--rotation-poll-interval=24h"] });
  });
  after(async () => {
    await world?.stop();
  });
  afterEach(async () => {
    await world.emulator.clearFaults();
  });

  for (const [what, fault] of [
    ["resets", { kind: "reset" }],
    ["fails", { kind: "status", status: 503 }],
  ] as const) {
    test(`U4: stays open until an answer has come that is newer than the request, where the vault ${what}`, async () => {
      const object = await world.object("old");
      const place = await givenSynced(object);
      const done = await askNow(world.plane, place);
      await statusWhere(place, "the first request", ({ observedRefresh }) => observedRefresh === done);
      await world.emulator.rotateSecret({ vault: world.vault, name: object, value: "new" });
      await world.emulator.injectFault({ vault: world.vault, times: 1_000, ...fault });

      const asked = await askNow(world.plane, place);

      await reasonIs(world.plane, place, "Unreachable");
      const failing = await statusWhere(place, "the failure", (status) => conditionIn(status, "Synced") === "False");
      assert.equal(failing.observedRefresh, done);
      await world.emulator.clearFaults();
      const synced = await statusWhere(place, "the answer", (status) => conditionIn(status, "Synced") === "True");
      assert.deepEqual([await valueOf(place, object), synced.observedRefresh, conditionIn(synced, "Fresh")], ["new", asked, "True"]);
    });
  }

  test("U4: stays open while one of the class's objects has no answer", async () => {
    const [first, second] = [await world.object("old"), await world.object("old")];
    const place = await givenSynced(first, second);
    for (const name of [first, second]) await world.emulator.rotateSecret({ vault: world.vault, name, value: "new" });
    await world.emulator.injectFault({ vault: world.vault, times: 1_000, kind: "reset", path: `/secrets/${second}` });

    const asked = await askNow(world.plane, place);

    const failing = await statusWhere(place, "the failure", (status) => conditionIn(status, "Fresh") === "False");
    assert.equal(failing.observedRefresh, undefined);
    await world.emulator.clearFaults();
    await statusWhere(place, "the answer", ({ observedRefresh }) => observedRefresh === asked);
    assert.deepEqual([await valueOf(place, first), await valueOf(place, second)], ["new", "new"]);
  });

  test("is over with a refusal that another attempt would end with too, and is not repeated", async () => {
    const object = await world.object("old");
    const place = await givenSynced(object);
    await world.emulator.disableSecret({ vault: world.vault, name: object });

    const asked = await askNow(world.plane, place);

    const refused = await statusWhere(place, "the refusal", ({ observedRefresh }) => observedRefresh === asked);
    assert.equal(conditionIn(refused, "Synced"), "False");
    const [before, other] = [await fetchesOf(world, object), await world.object("barrier")];
    await givenSynced(other);
    assert.equal(await fetchesOf(world, object), before);
  });

  test("needed no right that the worker lacks", () => assertNothingForbidden("refresh", world.plane));
});
