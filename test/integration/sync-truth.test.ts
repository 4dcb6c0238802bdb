import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { Secret, SecretObject } from "../../src/domain/kubernetes.ts";
import type { ClassStatus, SecretStatus } from "../../src/domain/sync/status-fields.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  askNow,
  assertNothingForbidden,
  type ClassEvent,
  classOf,
  createClass,
  dataOf,
  eventsOf,
  find,
  opaque,
  type Place,
  reasonIs,
  type SyncWorld,
  secretPath,
  startSyncWorld,
  statusOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const SYNC = { args: ["--rotation-poll-interval=24h"] };
const DAY_SECONDS = 86_400;

let world: SyncWorld;
let worker: ProductProcess;

async function givenSynced(
  objects: readonly string[],
  secretObjects: readonly SecretObject[],
  annotations: Readonly<Record<string, string>> = {},
): Promise<Place> {
  const place = { namespace: await world.namespace(), name: "demo" };
  await createClass(world.plane, classOf(world, { ...place, annotations, objects, secretObjects }));
  await reasonIs(world.plane, place, "Synced");
  return place;
}

function statusWhere(place: Place, what: string, holds: (status: ClassStatus) => boolean): Promise<ClassStatus> {
  return eventually(
    async () => {
      const status = await statusOf(world.plane, place.namespace, place.name);
      return status !== undefined && holds(status) && status;
    },
    { what },
  );
}

const secretIn = (status: ClassStatus, name: string): SecretStatus | undefined => status.secrets.find((secret) => secret.name === name);
const liveSecret = ({ namespace }: Place, name = "app") => find<Secret>(world.plane, secretPath(namespace, name));
const freshOf = ({ conditions }: ClassStatus) => conditions.find(({ type }) => type === "Fresh");

function eventOf(place: Place, reason: string): Promise<ClassEvent> {
  return eventually(async () => (await eventsOf(world.plane, place)).find((event) => event.reason === reason), {
    what: `the event ${reason}`,
  });
}

async function fetches(object: string): Promise<number> {
  const requests = await world.emulator.requests();
  return requests.filter(({ path, status }) => path.startsWith(`/secrets/${object}`) && status === 200).length;
}

describe("the status of a mirrored class", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    worker = await world.product.start("sync", SYNC);
  });
  after(async () => {
    await world?.stop();
  });

  test("says of each key of a partly available Secret what it holds and why, and the Secret stays whole", async () => {
    const { emulator, vault } = world;
    const [user, password] = [await world.object("user-1"), await world.object("password-1")];
    const data = [
      { objectName: user, key: "user" },
      { objectName: password, key: "password" },
    ];
    const place = await givenSynced([user, password], [{ secretName: "app", type: "Opaque", data }, opaque("alone", user)]);
    const before = secretIn(await statusWhere(place, "both Secrets", ({ syncedSecrets }) => syncedSecrets === 2), "app");

    await emulator.rotateSecret({ vault, name: user, value: "user-2" });
    await emulator.disableSecret({ vault, name: password });
    await askNow(world.plane, place);

    const status = await statusWhere(place, "the partial sync", ({ syncedSecrets }) => syncedSecrets === 1);
    const app = secretIn(status, "app");
    assert.equal(status.conditions.find(({ type }) => type === "Synced")?.reason, "PartialSync");
    assert.equal(freshOf(status)?.reason, "ObjectDisabled");
    assert.equal(app?.state, "ObjectDisabled");
    assert.deepEqual(
      app?.data.map(({ key, object, version, state }) => ({ key, object, version, state })),
      [
        { key: "user", object: `secret/${user}`, version: before?.data[0]?.version, state: "PartialSync" },
        { key: "password", object: `secret/${password}`, version: before?.data[1]?.version, state: "ObjectDisabled" },
      ],
    );
    assert.deepEqual(await dataOf(world.plane, place.namespace, "app"), { user: "user-1", password: "password-1" });
    assert.deepEqual(await dataOf(world.plane, place.namespace, "alone"), { value: "user-2" });

    await emulator.enableSecret({ vault, name: password });
    await askNow(world.plane, place);
    await reasonIs(world.plane, place, "Synced");
    assert.deepEqual(await dataOf(world.plane, place.namespace, "app"), { user: "user-2", password: "password-1" });
  });

  const failures: readonly (readonly [
    reason: string,
    strike: (object: string) => Promise<unknown>,
    mend: (object: string) => Promise<unknown>,
  ])[] = [
    [
      "Unreachable",
      () => world.emulator.injectFault({ vault: world.vault, kind: "status", status: 503, times: 1_000 }),
      () => world.emulator.clearFaults(),
    ],
    [
      "Throttled",
      () => world.emulator.injectFault({ vault: world.vault, kind: "status", status: 429, times: 1_000, retryAfterSeconds: 1 }),
      () => world.emulator.clearFaults(),
    ],
    [
      "Forbidden",
      () => world.emulator.revoke({ vault: world.vault, appId: world.principal.appId }),
      () => world.emulator.grant({ vault: world.vault, appId: world.principal.appId, permissions: ["get"] }),
    ],
    [
      "ObjectDisabled",
      (name) => world.emulator.disableSecret({ vault: world.vault, name }),
      (name) => world.emulator.enableSecret({ vault: world.vault, name }),
    ],
    [
      "ObjectNotFound",
      (name) => world.emulator.deleteSecret({ vault: world.vault, name }),
      (name) => world.emulator.setSecret({ vault: world.vault, name, value: "of the vault" }),
    ],
  ];
  for (const [reason, strike, mend] of failures) {
    test(`keeps the last known good through ${reason}, and says so, with the version and the time of the last check`, async () => {
      const object = await world.object("of the vault");
      const place = await givenSynced([object], [opaque("app", object)]);
      const before = await liveSecret(place);
      const version = (await statusWhere(place, "a version", () => true)).secrets[0]?.data[0]?.version;

      await strike(object);
      await askNow(world.plane, place);

      await reasonIs(world.plane, place, reason);
      const status = await statusWhere(place, "the failure", ({ syncedSecrets }) => syncedSecrets === 0);
      assert.deepEqual([status.secrets[0]?.state, status.secrets[0]?.data[0]?.state], [reason, reason]);
      assert.equal(status.secrets[0]?.data[0]?.version, version);
      assert.ok(Date.now() - Date.parse(status.lastSuccessfulCheckTime ?? "") < 60_000);
      assert.equal((await liveSecret(place))?.metadata.resourceVersion, before?.metadata.resourceVersion);
      await mend(object);
      await askNow(world.plane, place);
      // A vault that throttles is left alone for a while, whoever asks; then its classes come back one after the other.
      await eventually(async () => (await statusOf(world.plane, place.namespace, place.name))?.syncedSecrets === 1, {
        within: 60_000,
        what: "the recovery",
      });
    });
  }

  test("becomes stale after the time that the class allows, also while nothing is tried, and fresh again", async () => {
    const object = await world.object("of the vault");
    const place = await givenSynced([object], [opaque("app", object)], { [CLASS_ANNOTATIONS.maxStale]: "3s" });

    const stale = await statusWhere(place, "staleness", (status) => freshOf(status)?.reason === "Stale");

    assert.equal(freshOf(stale)?.status, "False");
    assert.match(freshOf(stale)?.message ?? "", /no successful check since .*, which is longer than 3s/);
    assert.equal(stale.conditions.find(({ type }) => type === "Synced")?.reason, "Synced");
    const event = await eventOf(place, "Stale");
    assert.equal(event.type, "Warning");
    assert.match((await eventOf(place, "InvalidClass")).message, /max-stale: 3s is not longer than the 24h between two checks; write more/);
    await askNow(world.plane, place);
    await statusWhere(place, "freshness", (status) => freshOf(status)?.status === "True");
  });

  test("tells of objects that expire, have expired or are not valid yet, once, and mirrors them", async () => {
    const { emulator, vault, plane } = world;
    const now = Math.floor(Date.now() / 1_000);
    const [soon, late, over, early] = await Promise.all(["soon", "late", "over", "early"].map((value) => world.object(value)));
    const dates: readonly (readonly [string | undefined, object])[] = [
      [soon, { expires: now + 10 * DAY_SECONDS }],
      [late, { expires: now + 60 * DAY_SECONDS }],
      [over, { expires: now - DAY_SECONDS }],
      [early, { notBefore: now + DAY_SECONDS }],
    ];
    for (const [name = "", attributes] of dates) await emulator.setAttributes({ vault, name, ...attributes });
    const objects = dates.map(([name = ""]) => name);

    const place = await givenSynced(
      objects,
      objects.map((object, index) => opaque(`app-${index}`, object)),
    );

    assert.match((await eventOf(place, "ObjectExpiring")).message, new RegExp(`secret/${soon} expires at .*; set a new version`));
    assert.match((await eventOf(place, "ObjectExpired")).message, new RegExp(`secret/${over} expired at .* and is still synced`));
    assert.match((await eventOf(place, "ObjectNotYetValid")).message, new RegExp(`secret/${early} is not valid before`));
    assert.deepEqual(await dataOf(plane, place.namespace, "app-2"), { value: "over" });
    const series = (await worker.metrics()).split("\n").filter((line) => line.startsWith("keyvault_injector_object_expiry_seconds{"));
    const own = series.filter((line) => line.includes(`namespace="${place.namespace}"`));
    assert.deepEqual(
      own.map((line) => Number(line.slice(line.lastIndexOf(" ")))),
      [now - DAY_SECONDS, now + 10 * DAY_SECONDS, now + 60 * DAY_SECONDS],
    );
    await askNow(world.plane, place);
    await statusWhere(place, "another look", ({ observedRefresh }) => observedRefresh !== undefined);
    const reported = (await eventsOf(plane, place)).filter(({ reason }) => reason.startsWith("Object"));
    assert.equal(reported.length, 3);
  });

  test("remembers a refresh over a change of leader: what was asked for while nobody led is done, what was done is not repeated", async () => {
    const object = await world.object("first");
    const place = await givenSynced([object], [opaque("app", object)]);
    const done = await askNow(world.plane, place);
    await statusWhere(place, "the answered request", ({ observedRefresh }) => observedRefresh === done);
    const [asked, other] = [await fetches(object), await world.object("barrier")];

    await worker.stop();
    worker = await world.product.start("sync", SYNC);
    await givenSynced([other], [opaque("app", other)]);
    assert.equal(await fetches(object), asked);

    await worker.stop();
    await world.emulator.rotateSecret({ vault: world.vault, name: object, value: "second" });
    const missed = await askNow(world.plane, place);
    worker = await world.product.start("sync", SYNC);
    await statusWhere(place, "the missed request", ({ observedRefresh }) => observedRefresh === missed);
    assert.deepEqual(await dataOf(world.plane, place.namespace, "app"), { value: "second" });
  });

  test("was never refused a request", () => {
    assertNothingForbidden("truth", world.plane);
  });
});
