import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS, MANAGED_LABEL, PREFIX, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
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
  reasonIs,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const NAME = "existing";

let world: SyncWorld;

const patch = (path: string, body: unknown) => mergePatch(world.plane, path, body);

async function secretIn(namespace: string): Promise<Secret> {
  const secret = await find<Secret>(world.plane, secretPath(namespace, NAME));
  assert.ok(secret);
  return secret;
}

/** Creates a Secret of an owner, with a key, a label and an annotation that no class contains. */
async function ownersSecret(annotations: Readonly<Record<string, string>> = {}): Promise<{ namespace: string; uid: string }> {
  const namespace = await world.namespace();
  const metadata = { name: NAME, labels: { team: "blue" }, annotations: { note: "by hand", ...annotations } };
  const body = { apiVersion: "v1", kind: "Secret", metadata, stringData: { value: "by hand", more: "kept" } };
  await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body });
  return { namespace, uid: (await secretIn(namespace)).metadata.uid ?? "" };
}

async function classThatNames(namespace: string, annotations: Readonly<Record<string, string>> = {}, type = "Opaque") {
  const object = await world.object("of the vault");
  const place = { namespace, name: "demo" };
  await createClass(
    world.plane,
    classOf(world, { ...place, objects: [object], secretObjects: [{ ...opaque(NAME, object), type }], annotations }),
  );
  return place;
}

async function adopted() {
  const { namespace, uid } = await ownersSecret({ [SECRET_ANNOTATIONS.adoptableBy]: "demo" });
  const place = await classThatNames(namespace, { [CLASS_ANNOTATIONS.adopt]: `other, ${NAME}` });
  await reasonIs(world.plane, place, "Synced");
  return { ...place, uid };
}

/** Asserts that the Secret is as its owner left it, apart from the content. */
async function assertReleased(namespace: string, uid: string, ownAnnotations: readonly string[]): Promise<void> {
  const secret = await eventually(
    async () => {
      const live = await secretIn(namespace);
      return live.metadata.labels?.[MANAGED_LABEL] === undefined ? live : undefined;
    },
    { what: "a Secret that is given back" },
  );
  assert.equal(secret.metadata.uid, uid);
  assert.deepEqual(secret.metadata.labels, { team: "blue" });
  const annotations = Object.keys(secret.metadata.annotations ?? {}).filter((key) => key.startsWith(`${PREFIX}/`));
  assert.deepEqual(annotations, ownAnnotations);
  assert.deepEqual(await dataOf(world.plane, namespace, NAME), { value: "of the vault", more: "kept" });
}

describe("an existing Secret", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    await world.product.start("sync", { args: ["--rotation-poll-interval=24h"] });
  });
  after(async () => {
    await world?.stop();
  });

  test("is taken over on the same object where both sides say so, and repaired from then on", async () => {
    const { namespace, uid } = await adopted();

    const secret = await secretIn(namespace);
    assert.equal(secret.metadata.uid, uid);
    assert.deepEqual(await dataOf(world.plane, namespace, NAME), { value: "of the vault", more: "kept" });
    assert.deepEqual(secret.metadata.labels, { team: "blue", [MANAGED_LABEL]: "true" });
    assert.equal(secret.metadata.annotations?.["note"], "by hand");
    assert.equal(secret.metadata.annotations?.[SECRET_ANNOTATIONS.adopted], "true");

    await patch(secretPath(namespace, NAME), { stringData: { value: "edited" } });
    await eventually(async () => (await dataOf(world.plane, namespace, NAME))?.["value"] === "of the vault");
    assert.equal((await secretIn(namespace)).metadata.annotations?.[SECRET_ANNOTATIONS.adopted], "true");
  });

  test("is given back when its class is deleted, and never deleted with it", async () => {
    const { namespace, name, uid } = await adopted();

    await send(world.plane, { method: "DELETE", path: classPath(namespace, name) });

    await assertReleased(namespace, uid, [SECRET_ANNOTATIONS.adoptableBy]);
  });

  test("is given back when its owner takes the agreement back", async () => {
    const { namespace, name, uid } = await adopted();

    await patch(secretPath(namespace, NAME), { metadata: { annotations: { [SECRET_ANNOTATIONS.adoptableBy]: null } } });

    await assertReleased(namespace, uid, []);
    const { message } = await reasonIs(world.plane, { namespace, name }, "Conflict");
    assert.match(
      message,
      /its owner has not allowed the class to take it over; set the annotation keyvault-injector\.dev\/adoptable-by: demo on the Secret/,
    );
  });

  test("is given back when the class no longer asks for it, or no longer names it", async () => {
    const asked = await adopted();
    await patch(classPath(asked.namespace, asked.name), { metadata: { annotations: { [CLASS_ANNOTATIONS.adopt]: null } } });
    await assertReleased(asked.namespace, asked.uid, [SECRET_ANNOTATIONS.adoptableBy]);

    const named = await adopted();
    await patch(classPath(named.namespace, named.name), { spec: { secretObjects: [] } });
    await assertReleased(named.namespace, named.uid, [SECRET_ANNOTATIONS.adoptableBy]);
  });

  test("is left as it is where only one side agrees, or it agrees to another class", async () => {
    const cases = [
      [
        { [SECRET_ANNOTATIONS.adoptableBy]: "demo" },
        {},
        /the class does not request this; list the Secret in the annotation keyvault-injector\.dev\/adopt/,
      ],
      [{}, { [CLASS_ANNOTATIONS.adopt]: NAME }, /its owner has not allowed the class to take it over/],
      [
        { [SECRET_ANNOTATIONS.adoptableBy]: "other" },
        { [CLASS_ANNOTATIONS.adopt]: NAME },
        /its owner has not allowed the class to take it over/,
      ],
    ] as const;
    for (const [onSecret, onClass, expected] of cases) {
      const { namespace } = await ownersSecret(onSecret);
      const before = await secretIn(namespace);

      const { message } = await reasonIs(world.plane, await classThatNames(namespace, onClass), "Conflict");

      assert.match(message, expected);
      assert.deepEqual(await secretIn(namespace), before);
    }
  });

  test("of another type is not taken over, and an adopted one is not replaced to change its type", async () => {
    const { namespace } = await ownersSecret({ [SECRET_ANNOTATIONS.adoptableBy]: "demo" });
    const before = await secretIn(namespace);
    const place = await classThatNames(namespace, { [CLASS_ANNOTATIONS.adopt]: NAME }, "example.com/other");
    const { message } = await reasonIs(world.plane, place, "Conflict");
    assert.match(message, /cannot be taken over: its type is Opaque, and the class wants example\.com\/other/);
    assert.deepEqual(await secretIn(namespace), before);

    const later = await adopted();
    const object = await world.object("of the vault");
    const secretObjects = [{ ...opaque(NAME, object), type: "example.com/other" }];
    const provider = classOf(world, { namespace: later.namespace, name: "demo", objects: [object], secretObjects });
    await patch(classPath(later.namespace, later.name), { spec: provider.spec });
    assert.match((await reasonIs(world.plane, later, "Conflict")).message, /was adopted and is not deleted/);
    assert.equal((await secretIn(later.namespace)).metadata.uid, later.uid);
  });

  test("needed no request that was refused", () => assertNothingForbidden("sync-adoption", world.plane));
});
