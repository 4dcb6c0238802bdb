import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { Secret } from "../../src/domain/kubernetes.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  assertNothingForbidden,
  classOf,
  classPath,
  createClass,
  dataOf,
  find,
  mergePatch,
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

let world: SyncWorld;

async function givenSynced(secretName: string): Promise<Place & { readonly object: string }> {
  const namespace = await world.namespace();
  const object = await world.object("as in the vault");
  const place = { namespace, name: "demo" };
  await createClass(world.plane, classOf(world, { ...place, objects: [object], secretObjects: [opaque(secretName, object)] }));
  await reasonIs(world.plane, place, "Synced");
  return { ...place, object };
}

/** Somebody's Secret in the disguise of one of ours: label, annotations and field manager. */
async function disguised({ namespace, name: className }: Place, name: string, more: Partial<Secret> = {}): Promise<string | undefined> {
  const model = (await find<Secret>(world.plane, secretPath(namespace, "app"))) ?? assert.fail();
  const annotations = { ...model.metadata.annotations, [SECRET_ANNOTATIONS.class]: className };
  const body = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, labels: { [MANAGED_LABEL]: "true" }, annotations },
    data: { theirs: Buffer.from("precious").toString("base64") },
    ...more,
  };
  const path = `/api/v1/namespaces/${namespace}/secrets?fieldManager=keyvault-injector-sync`;
  const { body: made } = await send(world.plane, { method: "POST", path, body });
  return (made as Secret).metadata.uid; // The API server's answer to the creation of one.
}

const uidOf = async ({ namespace }: Place, name: string): Promise<string | undefined> =>
  (await find<Secret>(world.plane, secretPath(namespace, name)))?.metadata.uid;

async function deleteClass(place: Place): Promise<void> {
  await send(world.plane, { method: "DELETE", path: classPath(place.namespace, place.name) });
  // The control: what the worker made itself goes with the class.
  await eventually(async () => (await uidOf(place, "app")) === undefined, { what: "the end of the mirrored Secret" });
  await eventually(async () => (await statusOf(world.plane, place.namespace, place.name)) === undefined, {
    what: "the end of the clean-up",
  });
}

describe("a Secret that claims to be the worker's", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    await world.product.start("sync", { args: ["--rotation-poll-interval=24h"] });
  });
  after(async () => {
    await world?.stop();
  });

  test("S12: is not deleted with the class that it names", async () => {
    const place = await givenSynced("app");
    const uid = await disguised(place, "precious");

    await deleteClass(place);

    assert.equal(await uidOf(place, "precious"), uid);
  });

  test("S12: is not deleted because the class does not name it", async () => {
    const place = await givenSynced("app");
    const uid = await disguised(place, "precious");
    const secretObjects = [opaque("app-2", place.object)];

    await mergePatch(world.plane, classPath(place.namespace, place.name), { spec: { secretObjects } });

    // The control, and the sign that the worker has removed what it removes: its own Secret under the old name is gone.
    await eventually(async () => (await uidOf(place, "app")) === undefined, { what: "the end of the Secret that is not named any more" });
    await reasonIs(world.plane, place, "Synced");
    assert.equal(await uidOf(place, "precious"), uid);
  });

  test("S12: is not deleted to be made anew with another type, and the class says so", async () => {
    const place = await givenSynced("app");
    const uid = await disguised(place, "precious", { type: "example.com/theirs" });
    const secretObjects = [opaque("app", place.object), opaque("precious", place.object)];

    await mergePatch(world.plane, classPath(place.namespace, place.name), { spec: { secretObjects } });

    const reported = async () =>
      (await statusOf(world.plane, place.namespace, place.name))?.secrets.find(({ name }) => name === "precious");
    const secret = await eventually(async () => (await reported()) ?? false, { what: "a word about the Secret" });
    assert.equal(await uidOf(place, "precious"), uid);
    assert.equal(secret.state, "Conflict");
    assert.match(secret.message ?? "", /^Secret precious has the worker's label, but nothing proves that this install created it/);
    assert.deepEqual(await dataOf(world.plane, place.namespace, "precious"), { theirs: "precious" });
  });

  test("S12: is not deleted after the worker has written over it either", async () => {
    const place = await givenSynced("app");
    const uid = await disguised(place, "precious");
    const secretObjects = [opaque("app", place.object), opaque("precious", place.object)];
    await mergePatch(world.plane, classPath(place.namespace, place.name), { spec: { secretObjects } });
    await eventually(async () => (await dataOf(world.plane, place.namespace, "precious"))?.["value"] === "as in the vault", {
      what: "the worker's data in it",
    });

    await deleteClass(place);

    assert.equal(await uidOf(place, "precious"), uid);
  });

  test("is known for the worker's own after an edit of the annotation that proves it, and goes with the class", async () => {
    const place = await givenSynced("app");
    const path = secretPath(place.namespace, "app");
    await mergePatch(world.plane, path, { metadata: { annotations: { [SECRET_ANNOTATIONS.content]: null } } });
    const proof = /^v2:[0-9a-f]{64}:[0-9a-f]{64}$/;
    await eventually(
      async () => proof.test((await find<Secret>(world.plane, path))?.metadata.annotations?.[SECRET_ANNOTATIONS.content] ?? ""),
      { what: "the annotation's repair" },
    );

    await deleteClass(place);
  });

  test("was never refused a request", () => {
    assertNothingForbidden("claimed secrets", world.plane);
  });
});
