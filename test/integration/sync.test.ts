import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { Secret, SecretObject } from "../../src/domain/kubernetes.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  assertNothingForbidden,
  type ClassFacts,
  classOf,
  classPath,
  createClass,
  dataOf,
  eventsOf,
  fetchesOf,
  find,
  mergePatch,
  mirroredSecrets,
  opaque,
  reasonIs,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
  statusOf,
  writesOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();

/** Other tests cover polls. Here an event causes everything that the worker does. */
const SYNC = { args: ["--rotation-poll-interval=24h", "--log-level=debug"] };

let world: SyncWorld;
let worker: ProductProcess;

/** Creates a class with the world's vault. Resolves with the place of the class. */
async function given(facts: Omit<ClassFacts, "namespace" | "name"> & { readonly namespace?: string; readonly name?: string }) {
  const namespace = facts.namespace ?? (await world.namespace());
  const name = facts.name ?? "demo";
  await createClass(world.plane, classOf(world, { ...facts, namespace, name }));
  return { namespace, name };
}

async function givenSynced(facts: Parameters<typeof given>[0]) {
  const place = await given(facts);
  await reasonIs(world.plane, place, "Synced");
  return place;
}

const patch = (path: string, body: unknown) => mergePatch(world.plane, path, body);
const secretAt = (namespace: string, name: string) => find<Secret>(world.plane, secretPath(namespace, name));

function setSecretObjects({ namespace, name }: { namespace: string; name: string }, secretObjects: readonly SecretObject[]) {
  return patch(classPath(namespace, name), { spec: { secretObjects } });
}

/** Waits until a new class is synced. The worker has then handled everything that came before. */
async function workerHasCaughtUp(running = worker): Promise<void> {
  const object = await world.object("barrier");
  await givenSynced({ objects: [object], secretObjects: [opaque("barrier", object)] });
  await eventually(async () => /queue_depth\S* 0$/m.test(await running.metrics()), { what: "an empty queue" });
}

describe("the sync worker", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    worker = await world.product.start("sync", SYNC);
  });
  after(async () => {
    await world?.stop();
  });

  test("never touches a foreign Secret of the same name, says so, and takes the name once it is free", async () => {
    const namespace = await world.namespace();
    const foreign = { apiVersion: "v1", kind: "Secret", metadata: { name: "taken" }, stringData: { value: "of somebody else" } };
    await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body: foreign });
    const before = await secretAt(namespace, "taken");
    const object = await world.object("ours");

    const place = await given({ namespace, objects: [object], secretObjects: [opaque("taken", object)] });

    const { message, status } = await reasonIs(world.plane, place, "Conflict");
    assert.equal(status, "False");
    assert.match(message, /Secret taken exists but is not managed by the worker.*Delete the Secret, or choose another secretName/);
    const event = await eventually(async () => (await eventsOf(world.plane, place)).find(({ reason }) => reason === "Conflict"));
    assert.equal(event.type, "Warning");
    assert.equal(event.message, message);
    assert.deepEqual(await secretAt(namespace, "taken"), before);

    await send(world.plane, { method: "DELETE", path: secretPath(namespace, "taken") });
    await reasonIs(world.plane, place, "Synced");
    assert.deepEqual(await dataOf(world.plane, namespace, "taken"), { value: "ours" });
  });

  test("leaves a Secret to the class that had it first", async () => {
    const object = await world.object("first");
    const { namespace } = await givenSynced({ objects: [object], secretObjects: [opaque("shared", object)] });

    const second = await given({ namespace, name: "second", objects: [object], secretObjects: [opaque("shared", object)] });

    const { message } = await reasonIs(world.plane, second, "Conflict");
    assert.match(
      message,
      /Secret shared is written by the class demo, and the class second also names that Secret; give one of the two classes another secretName/,
    );
  });

  test("repairs what somebody edited or deleted, and leaves alone what others add", async () => {
    const object = await world.object("as in the vault");
    const secretObject = { ...opaque("app", object), labels: { app: "demo" }, annotations: { note: "of the class" } };
    const { namespace } = await givenSynced({ objects: [object], secretObjects: [secretObject] });
    const path = secretPath(namespace, "app");
    const isRepaired = async (): Promise<Secret | false> => {
      const secret = await secretAt(namespace, "app");
      const isWhole = secret?.metadata.labels?.["app"] === "demo" && secret.metadata.annotations?.["note"] === "of the class";
      const value = (await dataOf(world.plane, namespace, "app"))?.["value"];
      return secret !== undefined && isWhole && value === "as in the vault" && secret;
    };

    await patch(path, { metadata: { labels: { theirs: "1" } }, data: { extra: Buffer.from("theirs").toString("base64") } });
    for (const edit of [
      { data: { value: Buffer.from("edited").toString("base64") } },
      { data: { value: null } },
      { metadata: { labels: { app: "edited" } } },
      { metadata: { labels: { app: null }, annotations: { note: null } } },
      { metadata: { annotations: { [SECRET_ANNOTATIONS.content]: "v1:00", [SECRET_ANNOTATIONS.objects]: null } } },
    ]) {
      await patch(path, edit);
      const repaired = await eventually(isRepaired, { what: `the repair of ${JSON.stringify(edit)}` });
      assert.equal(repaired.metadata.labels?.["theirs"], "1");
      assert.equal((await dataOf(world.plane, namespace, "app"))?.["extra"], "theirs");
    }
    await send(world.plane, { method: "DELETE", path });
    await eventually(isRepaired, { what: "the deleted Secret" });
  });

  test("removes a key and a label that the class dropped, and the Secret that it renamed", async () => {
    const [kept, dropped] = [await world.object("kept"), await world.object("dropped")];
    const data = [
      { objectName: kept, key: "kept" },
      { objectName: dropped, key: "dropped" },
    ];
    const labels = { one: "1", two: "2" };
    const both = { secretName: "app", type: "Opaque", labels, data };
    const place = await givenSynced({ objects: [kept, dropped], secretObjects: [both] });
    const { namespace } = place;

    await setSecretObjects(place, [{ ...both, labels: { one: "1" }, data: data.slice(0, 1) }]);
    await eventually(async () => (await dataOf(world.plane, namespace, "app"))?.["dropped"] === undefined, {
      what: "the dropped key's end",
    });
    const secret = await secretAt(namespace, "app");
    assert.deepEqual(await dataOf(world.plane, namespace, "app"), { kept: "kept" });
    assert.equal(secret?.metadata.labels?.["one"], "1");
    assert.equal(secret?.metadata.labels?.["two"], undefined);

    // Write the key again with an apply, the other way in which the API server records the owner of a field.
    await setSecretObjects(place, [both]);
    await eventually(async () => (await dataOf(world.plane, namespace, "app"))?.["dropped"] === "dropped", { what: "the key's return" });
    await setSecretObjects(place, [{ ...both, data: data.slice(0, 1) }]);
    await eventually(async () => (await dataOf(world.plane, namespace, "app"))?.["dropped"] === undefined, { what: "its second end" });

    await setSecretObjects(place, [{ ...both, secretName: "renamed" }]);
    await eventually(
      async () => (await mirroredSecrets(world.plane, namespace)).map(({ metadata }) => metadata.name).join() === "renamed",
      {
        what: "the new name alone",
      },
    );

    await setSecretObjects(place, []);
    await eventually(async () => (await mirroredSecrets(world.plane, namespace)).length === 0, { what: "no Secret" });
    await eventually(async () => (await statusOf(world.plane, namespace, place.name)) === undefined, { what: "no status" });
  });

  test("replaces a Secret whose type the class changed", async () => {
    const object = await world.object("secret");
    const place = await givenSynced({ objects: [object], secretObjects: [opaque("app", object)] });

    const data = [
      { objectName: object, key: "username" },
      { objectName: object, key: "password" },
    ];
    await setSecretObjects(place, [{ secretName: "app", type: "kubernetes.io/basic-auth", data }]);

    await eventually(async () => (await secretAt(place.namespace, "app"))?.type === "kubernetes.io/basic-auth", { what: "the new type" });
    assert.deepEqual(await dataOf(world.plane, place.namespace, "app"), { username: "secret", password: "secret" });
    await reasonIs(world.plane, place, "Synced");
  });

  test("keeps a Secret whose new type the API server would refuse", async () => {
    const object = await world.object("secret");
    const place = await givenSynced({ objects: [object], secretObjects: [opaque("app", object)] });
    const before = await secretAt(place.namespace, "app");

    await setSecretObjects(place, [
      { secretName: "app", type: "kubernetes.io/dockerconfigjson", data: [{ objectName: object, key: "value" }] },
    ]);

    await reasonIs(world.plane, place, "InvalidObject");
    const after = await secretAt(place.namespace, "app");
    assert.equal(after?.metadata.uid, before?.metadata.uid);
    assert.equal(after?.metadata.resourceVersion, before?.metadata.resourceVersion);
    // Delete the class: the test of the worker at rest would notice a class that keeps failing.
    await send(world.plane, { method: "DELETE", path: classPath(place.namespace, place.name) });
    await eventually(async () => (await secretAt(place.namespace, "app")) === undefined);
  });

  test("hands a Secret to another class that names it, on the same object, when the first class goes", async () => {
    const object = await world.object("shared");
    const first = await givenSynced({ objects: [object], secretObjects: [opaque("moved", object)] });
    const second = await given({ namespace: first.namespace, name: "second", objects: [object], secretObjects: [opaque("moved", object)] });
    await reasonIs(world.plane, second, "Conflict");
    const before = await secretAt(first.namespace, "moved");

    await send(world.plane, { method: "DELETE", path: classPath(first.namespace, first.name) });

    await reasonIs(world.plane, second, "Synced");
    assert.equal((await secretAt(first.namespace, "moved"))?.metadata.uid, before?.metadata.uid);
  });

  test("removes a Secret that was left to a class which never could write it, when that class lets go of it", async () => {
    const [object, missing] = [await world.object("shared"), "not-in-the-vault"];
    const first = await givenSynced({ objects: [object], secretObjects: [opaque("left", object)] });
    const { namespace } = first;
    const second = await given({ namespace, name: "second", objects: [missing], secretObjects: [opaque("left", missing)] });
    await reasonIs(world.plane, second, "ObjectNotFound");
    await send(world.plane, { method: "DELETE", path: classPath(namespace, first.name) });
    await eventually(async () => (await statusOf(world.plane, namespace, first.name)) === undefined, { what: "the first class's end" });
    assert.deepEqual(await dataOf(world.plane, namespace, "left"), { value: "shared" });

    await send(world.plane, { method: "DELETE", path: classPath(namespace, second.name) });

    await eventually(async () => (await secretAt(namespace, "left")) === undefined, { what: "the end of the Secret" });
  });

  test("tells the owner of a class once what in it is ignored, or works otherwise than it looks", async () => {
    const object = await world.object("value");
    const entries = [
      { objectName: object, objectType: "secret" },
      { objectName: object, objectType: "secret" },
    ];
    const annotations = { [CLASS_ANNOTATIONS.rotationPollInterval]: "5s" };
    const place = await givenSynced({ annotations, objects: entries, secretObjects: [opaque("app", object)] });

    const messages = await eventually(
      async () => {
        const warnings = (await eventsOf(world.plane, place)).filter(({ type }) => type === "Warning");
        return warnings.length >= 2 && warnings.map(({ message }) => message).join("\n");
      },
      { what: "two warnings" },
    );
    assert.match(messages, /rotation-poll-interval: 5s is below 10s; write 10s or more/);
    assert.match(messages, /objects\[1\]: objects 0 and 1 have the same file name .*: the later one wins/);
  });

  test("never deletes a copy that somebody made of a mirrored Secret", async () => {
    const object = await world.object("copied");
    const place = await givenSynced({ objects: [object], secretObjects: [opaque("app", object)] });
    const original = await secretAt(place.namespace, "app");
    const { labels, annotations } = original?.metadata ?? {};
    const copy = { apiVersion: "v1", kind: "Secret", metadata: { name: "app-backup", labels, annotations }, data: original?.data };
    await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${place.namespace}/secrets`, body: copy });

    await send(world.plane, { method: "DELETE", path: classPath(place.namespace, place.name) });

    await eventually(async () => (await secretAt(place.namespace, "app")) === undefined, { what: "the mirrored Secret's removal" });
    // The worker deletes the status after the Secrets, so it has then finished with the class.
    await eventually(async () => (await statusOf(world.plane, place.namespace, place.name)) === undefined, {
      what: "the end of the clean-up",
    });
    assert.notEqual(await secretAt(place.namespace, "app-backup"), undefined);
  });

  test("writes Secrets of every type, and asks for each object once", async () => {
    const config = await world.object('{"auths":{}}');
    const text = await world.object("text");
    const of = (type: string, ...keys: readonly string[]): SecretObject => ({
      secretName: type.toLowerCase().replaceAll(/[^a-z]/g, "-"),
      type,
      data: keys.map((key) => ({ objectName: key.startsWith(".docker") ? config : text, key })),
    });
    const secretObjects = [
      of("Opaque", "anything.txt"),
      of("kubernetes.io/basic-auth", "username", "password"),
      of("kubernetes.io/ssh-auth", "ssh-privatekey"),
      of("kubernetes.io/dockerconfigjson", ".dockerconfigjson"),
      of("kubernetes.io/dockercfg", ".dockercfg"),
      of("example.com/own", "key"),
    ];

    const place = await givenSynced({ objects: [config, text], secretObjects });

    const written = await mirroredSecrets(world.plane, place.namespace);
    assert.deepEqual(new Set(written.map(({ type }) => type)), new Set(secretObjects.map(({ type }) => type)));
    const status = await statusOf(world.plane, place.namespace, place.name);
    assert.equal(status?.syncedSecrets, 6);
    await workerHasCaughtUp();
    assert.deepEqual([await fetchesOf(world, config), await fetchesOf(world, text)], [1, 1]);
  });

  test("keeps a pinned version while the current one moves on, and fetches anew when asked to", async () => {
    const object = await world.object("old");
    const [first] = await world.emulator.secretVersions({ vault: world.vault, name: object });
    const pinned = { objectName: object, objectType: "secret", objectVersion: first?.version ?? "", objectAlias: "pinned" };
    const place = await givenSynced({ objects: [pinned, object], secretObjects: [opaque("pinned", "pinned"), opaque("current", object)] });

    await world.emulator.rotateSecret({ vault: world.vault, name: object, value: "new" });
    await patch(classPath(place.namespace, place.name), { metadata: { annotations: { [CLASS_ANNOTATIONS.refresh]: "now" } } });

    await eventually(async () => (await dataOf(world.plane, place.namespace, "current"))?.["value"] === "new", { what: "the new value" });
    assert.deepEqual(await dataOf(world.plane, place.namespace, "pinned"), { value: "old" });
    const secret = await secretAt(place.namespace, "pinned");
    assert.equal(secret?.metadata.annotations?.[SECRET_ANNOTATIONS.objects], `secret/${object}@${first?.version}`);
  });

  test("mirrors what it can where one object is missing", async () => {
    const object = await world.object("there");
    const place = await given({ objects: [object, "absent"], secretObjects: [opaque("good", object), opaque("bad", "absent")] });

    const { message } = await reasonIs(world.plane, place, "PartialSync");

    assert.match(message, /1 of 2 Secrets are up to date; bad: .*secret absent.*create it, or correct objectName/);
    assert.deepEqual(await dataOf(world.plane, place.namespace, "good"), { value: "there" });
    assert.equal(await secretAt(place.namespace, "bad"), undefined);
    const status = await statusOf(world.plane, place.namespace, place.name);
    assert.deepEqual(
      status?.secrets.map(({ name, state }) => `${name} ${state}`),
      ["good Synced", "bad ObjectNotFound"],
    );
  });

  test("writes nothing at a poll that finds nothing new, and the new value at one that does", async () => {
    const object = await world.object("unchanged");
    const annotations = { [CLASS_ANNOTATIONS.rotationPollInterval]: "10s" };
    const place = await givenSynced({ annotations, objects: [object], secretObjects: [opaque("polled", object)] });
    await workerHasCaughtUp();
    const [since, polls] = [new Date().toISOString(), await fetchesOf(world, object)];

    await eventually(async () => (await fetchesOf(world, object)) >= polls + 2, { within: 30_000, what: "two polls" });
    const writes = writesOf(world.plane.audit()).filter(({ time }) => time >= since);
    console.log(`sync: ${writes.length} writes during 2 polls at rest`);
    assert.deepEqual(
      writes.map(({ verb, uri }) => `${verb} ${uri}`),
      [],
    );

    // The control: the audit log contains the worker's writes.
    await world.emulator.rotateSecret({ vault: world.vault, name: object, value: "changed" });
    await eventually(async () => (await dataOf(world.plane, place.namespace, "polled"))?.["value"] === "changed", {
      what: "the new value",
    });
    await eventually(() => writesOf(world.plane.audit()).some(({ time, name }) => time >= since && name === "polled"), {
      what: "the write in the audit log",
    });
    await send(world.plane, { method: "DELETE", path: classPath(place.namespace, place.name) });
    await eventually(async () => (await secretAt(place.namespace, "polled")) === undefined);
  });

  test("asks no vault for what is in order when it starts", async () => {
    const objects = await Promise.all(Array.from({ length: 10 }, () => world.object("kept")));
    const namespace = await world.namespace();
    for (const object of objects)
      await givenSynced({ namespace, name: object, objects: [object], secretObjects: [opaque(object, object)] });
    await workerHasCaughtUp();
    const asked = await Promise.all(objects.map((object) => fetchesOf(world, object)));

    await worker.stop();
    worker = await world.product.start("sync", SYNC);
    await workerHasCaughtUp();

    assert.deepEqual(await Promise.all(objects.map((object) => fetchesOf(world, object))), asked);
    // The control: the worker does query the vault when it must.
    await send(world.plane, { method: "DELETE", path: secretPath(namespace, objects[0] ?? "") });
    await eventually(async () => (await fetchesOf(world, objects[0] ?? "")) === (asked[0] ?? 0) + 1, {
      what: "a request for what was deleted",
    });
  });

  test("works in one replica at a time, and in the other one soon after the first died", async () => {
    const second = await world.product.start("sync", SYNC);
    const isLeading = async (running: ProductProcess): Promise<boolean> => /_leader\S* 1$/m.test(await running.metrics());
    const object = await world.object("with two");
    const { namespace } = await givenSynced({ objects: [object], secretObjects: [opaque("one", object)] });
    assert.deepEqual([await isLeading(worker), await isLeading(second)], [true, false]);

    const started = performance.now();
    await worker.kill();
    await given({ namespace, name: "orphan", objects: [object], secretObjects: [opaque("two", object)] });
    await eventually(() => isLeading(second), { within: 20_000, what: "the second replica's lead" });
    console.log(`sync: the other replica leads ${((performance.now() - started) / 1_000).toFixed(1)} s after the first was killed`);

    await eventually(() => dataOf(world.plane, namespace, "two"), { what: "the work of the second replica" });
  });

  test("was never refused a request", () => {
    assertNothingForbidden("sync", world.plane);
  });
});
