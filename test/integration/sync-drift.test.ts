import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { Secret, SecretObject } from "../../src/domain/kubernetes.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import { clockShows } from "../support/time/wall-clock.ts";
import {
  assertNothingForbidden,
  type ClassEvent,
  classOf,
  classPath,
  createClass,
  dataOf,
  eventsOf,
  find,
  listAll,
  mergePatch,
  mirroredSecrets,
  opaque,
  type Place,
  reasonIs,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
  statusOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const SYNC = { args: ["--rotation-poll-interval=24h"] };

let world: SyncWorld;
let worker: ProductProcess;

async function given(objects: readonly string[], secretObjects: readonly SecretObject[], place?: Place): Promise<Place> {
  const where = place ?? { namespace: await world.namespace(), name: "demo" };
  await createClass(world.plane, classOf(world, { ...where, objects, secretObjects }));
  return where;
}

async function givenSynced(objects: readonly string[], secretObjects: readonly SecretObject[], place?: Place): Promise<Place> {
  const where = await given(objects, secretObjects, place);
  await reasonIs(world.plane, where, "Synced");
  return where;
}

const patch = (path: string, body: unknown) => mergePatch(world.plane, path, body);
const liveSecret = ({ namespace }: Place, name = "app") => find<Secret>(world.plane, secretPath(namespace, name));
const encoded = (text: string): string => Buffer.from(text).toString("base64");

function eventsWith(place: Place, reason: string, count = 1): Promise<readonly ClassEvent[]> {
  return eventually(
    async () => {
      const events = (await eventsOf(world.plane, place)).filter((event) => event.reason === reason);
      return events.length >= count && events;
    },
    { what: `${count} events ${reason}` },
  );
}

/** Waits for the repair. Resolves with its duration in milliseconds. */
async function isRepaired(place: Place, wanted: Readonly<Record<string, string>>, within = 20_000): Promise<number> {
  const started = performance.now();
  await eventually(
    async () => {
      const data = (await dataOf(world.plane, place.namespace, "app")) ?? {};
      return Object.entries(wanted).every(([key, value]) => data[key] === value);
    },
    { what: "the repair", every: 20, within },
  );
  return performance.now() - started;
}

async function metric(name: string): Promise<number> {
  const line = (await worker.metrics()).split("\n").find((candidate) => candidate.startsWith(`keyvault_injector_${name}`));
  return Number(line?.slice(line.lastIndexOf(" ")));
}

describe("drift of mirrored Secrets", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    worker = await world.product.start("sync", SYNC);
  });
  after(async () => {
    await world?.stop();
  });

  test("is repaired in under two seconds, told with who wrote last and when, and counted", async () => {
    const object = await world.object("of the vault");
    const place = await givenSynced([object], [opaque("app", object)]);

    const edit = JSON.stringify({ data: { value: encoded("edited") } });
    await world.plane.kubectl(["patch", "secret", "app", "-n", place.namespace, "--field-manager=somebodys-tool", "-p", edit]);
    const edited = await isRepaired(place, { value: "of the vault" });
    await send(world.plane, { method: "DELETE", path: secretPath(place.namespace, "app") });
    const deleted = await isRepaired(place, { value: "of the vault" });

    console.log(`drift: an edit was undone after ${Math.round(edited)} ms, a deletion after ${Math.round(deleted)} ms`);
    assert.ok(edited < 2_000 && deleted < 2_000);
    const messages = (await eventsWith(place, "SecretRepaired", 2)).map(({ message }) => message).join("\n");
    assert.match(messages, /Secret app was edited \(last written by somebodys-tool at 20\d\d-.*Z\); the worker restored it/);
    assert.match(messages, /Secret app was deleted; the API server's audit log shows by whom\. The worker restored it/);
    assert.equal(await metric('drift_repairs_total{damage="edited"'), 1);
    assert.equal(await metric('drift_repairs_total{damage="deleted"'), 1);
  });

  test("that comes back after each repair is called contested, is repaired ever more slowly, and leaves other Secrets in peace", async () => {
    const [fought, quiet] = [await world.object("of the vault"), await world.object("quiet")];
    const place = await givenSynced([fought, quiet], [opaque("app", fought), opaque("quiet", quiet)]);
    const before = await liveSecret(place, "quiet");

    for (let round = 0; round < 4; round += 1) {
      await patch(secretPath(place.namespace, "app"), { data: { value: encoded(`round ${round}`) } });
      await isRepaired(place, { value: "of the vault" });
    }

    const status = await eventually(
      async () => {
        const found = await statusOf(world.plane, place.namespace, place.name);
        return found?.secrets[0]?.state === "Contested" && found;
      },
      { what: "the contest in the status" },
    );
    assert.match(status.secrets[0]?.message ?? "", /Secret app is changed or deleted after each repair, last by .*Stop the other writer/);
    assert.deepEqual([status.secrets[1]?.state, status.conditions[0]?.reason], ["Synced", "PartialSync"]);
    assert.equal((await liveSecret(place, "quiet"))?.metadata.resourceVersion, before?.metadata.resourceVersion);
    // The contest ends as soon as one minute has passed without a change. Unit tests cover the state until then.
    await patch(secretPath(place.namespace, "app"), { data: { value: encoded("once more") } });
    assert.ok((await isRepaired(place, { value: "of the vault" })) > 500);
  });

  test("that is repaired keeps no change of the vault waiting for longer than to the next poll", async () => {
    const name = await world.object("of the vault");
    const place = { namespace: await world.namespace(), name: "demo" };
    const annotations = { [CLASS_ANNOTATIONS.rotationPollInterval]: "10s" };
    await createClass(world.plane, classOf(world, { ...place, annotations, objects: [name], secretObjects: [opaque("app", name)] }));
    await reasonIs(world.plane, place, "Synced");
    /** Rotates the value and waits for it in the Secret. Resolves with the milliseconds since its arrival in the vault. */
    const followed = async (value: string): Promise<number> => {
      await world.emulator.rotateSecret({ vault: world.vault, name, value });
      return isRepaired(place, { value }, 30_000);
    };
    // The next poll is a whole interval away.
    await followed("at the poll");

    await send(world.plane, { method: "DELETE", path: secretPath(place.namespace, "app") });
    await isRepaired(place, { value: "at the poll" });
    const took = await followed("after the repair");
    assert.ok(took < 15_000, `${took} ms with polls every 10 s`);
  });

  test("that does not end keeps no other Secret of its class waiting for its poll, whose interval is the class's own", async () => {
    const [fought, quiet] = [await world.object("of the vault"), await world.object("quiet")];
    const place = { namespace: await world.namespace(), name: "demo" };
    const annotations = { [CLASS_ANNOTATIONS.rotationPollInterval]: "10s" };
    const facts = { ...place, annotations, objects: [fought, quiet], secretObjects: [opaque("app", fought), opaque("quiet", quiet)] };
    await createClass(world.plane, classOf(world, facts));
    await reasonIs(world.plane, place, "Synced");
    const over = new AbortController();
    let rounds = 0;
    const fight = async (): Promise<void> => {
      for (; !over.signal.aborted; await new Promise((resolve) => setTimeout(resolve, 50))) {
        if ((await dataOf(world.plane, place.namespace, "app"))?.["value"] !== "of the vault") continue;
        rounds += 1;
        await patch(secretPath(place.namespace, "app"), { data: { value: encoded(`round ${rounds}`) } });
      }
    };
    const fighting = fight();
    try {
      await eventually(async () => (await statusOf(world.plane, place.namespace, "demo"))?.secrets[0]?.state === "Contested", {
        what: "a contest",
      });
      for (const value of ["rotated once", "rotated twice"]) {
        await world.emulator.rotateSecret({ vault: world.vault, name: quiet, value });
        const started = performance.now();
        const hasIt = async () => (await dataOf(world.plane, place.namespace, "quiet"))?.["value"] === value;
        await eventually(hasIt, { within: 30_000, what: value });
        console.log(
          `drift: beside a contest a rotation was there after ${((performance.now() - started) / 1_000).toFixed(1)} s, with polls each 10 s`,
        );
      }
    } finally {
      over.abort();
      await fighting;
    }
  });

  test("of an immutable Secret, and a change of type, is a Secret made anew, which is told", async () => {
    const object = await world.object("old");
    const place = await givenSynced([object], [opaque("app", object)]);
    const before = await liveSecret(place);
    await patch(secretPath(place.namespace, "app"), { immutable: true });

    await world.emulator.rotateSecret({ vault: world.vault, name: object, value: "new" });
    await patch(classPath(place.namespace, place.name), { metadata: { annotations: { [CLASS_ANNOTATIONS.refresh]: "1" } } });
    await isRepaired(place, { value: "new" });
    const data = [
      { objectName: object, key: "username" },
      { objectName: object, key: "password" },
    ];
    await patch(classPath(place.namespace, place.name), {
      spec: { secretObjects: [{ secretName: "app", type: "kubernetes.io/basic-auth", data }] },
    });
    await isRepaired(place, { username: "new", password: "new" });

    assert.notEqual((await liveSecret(place))?.metadata.uid, before?.metadata.uid);
    const messages = (await eventsWith(place, "SecretReplaced", 2)).map(({ message, type }) => `${type}: ${message}`).join("\n");
    assert.match(messages, /Warning: Secret app was deleted and recreated without what others had added, because it is immutable/);
    assert.match(messages, /Warning: .*its type is Opaque instead of kubernetes\.io\/basic-auth/);
  });

  test("is none where a Secret would exceed what Kubernetes takes: it stays, and the biggest entry is named", async () => {
    const small = await world.object("small");
    const big = await world.object("x".repeat(25_000));
    const bigger = await world.object("y".repeat(25_600));
    const entries = Array.from({ length: 42 }, (_, index) => ({ objectName: index === 7 ? bigger : big, key: `key-${index}` }));
    const place = await givenSynced([small, big, bigger], [opaque("app", small)]);
    const before = await liveSecret(place);

    await patch(classPath(place.namespace, place.name), {
      spec: { secretObjects: [{ secretName: "app", type: "Opaque", data: entries }] },
    });

    const { message } = await reasonIs(world.plane, place, "TooLarge");
    assert.match(message, /but a Secret can have 1048576; the largest entry is key-7 with 25600 .*move entries to another secretObject/);
    assert.equal((await liveSecret(place))?.metadata.resourceVersion, before?.metadata.resourceVersion);
  });

  test("is none between two classes that name one Secret: the older has it, the younger says so with both names", async () => {
    const [first, second] = [await world.object("of the older"), await world.object("of the younger")];
    const namespace = await world.namespace();
    await worker.stop();
    // By name the younger class comes first, and no Secret exists yet when the worker sees both.
    const older = await given([first], [opaque("app", first)], { namespace, name: "zebra" });
    const created = (await find<Secret>(world.plane, classPath(namespace, "zebra")))?.metadata.creationTimestamp;
    await clockShows(Date.parse(created ?? "") + 1_000);
    const younger = await given([second], [opaque("app", second)], { namespace, name: "ant" });
    worker = await world.product.start("sync", SYNC);

    const { message } = await reasonIs(world.plane, younger, "Conflict");
    await reasonIs(world.plane, older, "Synced");
    assert.match(
      message,
      /Secret app is written by the class zebra, and the class ant also names that Secret; give one of the two classes another secretName/,
    );
    assert.deepEqual(await dataOf(world.plane, namespace, "app"), { value: "of the older" });
    const uid = (await liveSecret(older))?.metadata.uid;

    await send(world.plane, { method: "DELETE", path: classPath(namespace, "zebra") });
    await reasonIs(world.plane, younger, "Synced");
    assert.deepEqual(await dataOf(world.plane, namespace, "app"), { value: "of the younger" });
    assert.equal((await liveSecret(younger))?.metadata.uid, uid);
  });

  test("was never refused a request", () => {
    assertNothingForbidden("drift", world.plane);
  });
});

describe("Secrets that nobody writes any more", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    worker = await world.product.start("sync", SYNC);
  });
  after(async () => {
    await world?.stop();
  });

  test("stay when their class is given to another provider, which is said, and go with the class", async () => {
    const object = await world.object("of the vault");
    const place = await givenSynced([object], [opaque("app", object)]);
    const before = await liveSecret(place);

    await patch(classPath(place.namespace, place.name), { spec: { provider: "vault" } });

    const { message } = await reasonIs(world.plane, place, "InvalidClass");
    assert.match(
      message,
      /spec\.provider is now "vault", so the worker no longer updates app; set spec\.provider back to azure, or delete the class/,
    );
    assert.equal((await liveSecret(place))?.metadata.resourceVersion, before?.metadata.resourceVersion);
    await patch(classPath(place.namespace, place.name), { spec: { provider: "azure" } });
    await reasonIs(world.plane, place, "Synced");
    await patch(classPath(place.namespace, place.name), { spec: { provider: "vault" } });
    await reasonIs(world.plane, place, "InvalidClass");
    await send(world.plane, { method: "DELETE", path: classPath(place.namespace, place.name) });
    await eventually(async () => (await liveSecret(place)) === undefined, { what: "the Secret's end" });
  });

  test("stay while mirroring is switched off, also without their class, and go when it is switched on again", async () => {
    const object = await world.object("of the vault");
    const [kept, orphan] = [await givenSynced([object], [opaque("app", object)]), await givenSynced([object], [opaque("app", object)])];
    const before = await liveSecret(kept);
    await worker.stop();
    worker = await world.product.start("sync", { args: [...SYNC.args, "--sync-secret=false"] });

    await send(world.plane, { method: "DELETE", path: classPath(orphan.namespace, orphan.name) });
    await patch(classPath(kept.namespace, kept.name), { spec: { secretObjects: [opaque("renamed", object)] } });
    // The worker still keeps snapshots. The new snapshot shows that it has finished with the class, and with the deletion before.
    const revisions = `/apis/apps/v1/namespaces/${kept.namespace}/controllerrevisions`;
    await eventually(async () => JSON.stringify(await listAll(world.plane, revisions)).includes('"renamed"'), { what: "the snapshot" });
    assert.equal((await liveSecret(kept))?.metadata.resourceVersion, before?.metadata.resourceVersion);
    assert.notEqual(await liveSecret(orphan), undefined);

    await worker.stop();
    worker = await world.product.start("sync", SYNC);
    await eventually(async () => (await mirroredSecrets(world.plane, orphan.namespace)).length === 0, { what: "the orphan's end" });
    await eventually(
      async () => (await mirroredSecrets(world.plane, kept.namespace)).map(({ metadata }) => metadata.name).join() === "renamed",
      { what: "the renamed Secret alone" },
    );
  });

  test("was never refused a request", () => {
    assertNothingForbidden("left", world.plane);
  });
});
