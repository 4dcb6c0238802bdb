import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { readStatus, type SecretProviderClassSync } from "../../src/domain/sync/stored-status.ts";
import { FIELD_MANAGER } from "../../src/sync/field-manager.ts";
import { RELEASE, releaseRefusal } from "../install/support/released-image.ts";
import { APPLY_PATCH } from "../support/cluster/api-request.ts";
import { builtCommit } from "../support/cluster/built-commit.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { ABSENT, classNaming, editClass, waitForCondition, waitForGeneration } from "../support/cluster/edited-class.ts";
import { installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { olderForm } from "../support/fixtures/older-status.ts";
import { eventually } from "../support/time/eventually.ts";
import { createClass, dataOf, fetchesOf, find, type Place, type SyncWorld, send, startSyncWorld } from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;
const noRelease = releaseRefusal();

/** No poll becomes due during the test. */
const UNPOLLED = { args: ["--enable-secret-rotation=false"], within: 60_000 };

const statusPath = ({ namespace, name }: Place): string =>
  `/apis/keyvault-injector.dev/v1alpha1/namespaces/${namespace}/secretproviderclasssyncs/${name}`;

async function storedAt(world: SyncWorld, place: Place): Promise<SecretProviderClassSync> {
  const stored = await find<SecretProviderClassSync>(world.plane, statusPath(place));
  assert.ok(stored !== undefined, `no status of ${place.name}`);
  return stored;
}

async function readyAt(world: SyncWorld, place: Place): Promise<string | undefined> {
  const { status } = await storedAt(world, place);
  return status?.conditions?.find(({ type }) => type === "Ready")?.status;
}

/** Creates a class and waits until it is synced. */
async function aReadyClass(world: SyncWorld, name: string): Promise<{ readonly place: Place; readonly object: string }> {
  const place = { namespace: await world.namespace(), name };
  const object = await world.object("value");
  await createClass(world.plane, classNaming(world, place, object));
  await world.plane.kubectl(["wait", "--for=create", `spcsync/${name}`, "-n", place.namespace, "--timeout=30s"]);
  await eventually(async () => (await storedAt(world, place)).status?.secrets?.[0]?.state === "Synced", { what: "the first mirroring" });
  return { place, object };
}

describe("kubectl wait", { skip }, () => {
  let world: SyncWorld;
  before(async () => {
    world = await startSyncWorld();
    await world.product.start("sync");
  });
  after(async () => {
    await world?.stop();
  });

  test("F2: ends on Ready, on Stalled after an edit that fails, and on Ready again after one that mends", async () => {
    const { place, object } = await aReadyClass(world, "shop");
    await waitForCondition(world.plane, place, "Ready");

    await waitForGeneration(world.plane, place, await editClass(world, place, ABSENT));
    await waitForCondition(world.plane, place, "Stalled", "5s");
    await waitForCondition(world.plane, place, "Ready=False", "5s");
    await assert.rejects(waitForCondition(world.plane, place, "Ready", "1s"), /timed out/);

    await waitForGeneration(world.plane, place, await editClass(world, place, object));
    await waitForCondition(world.plane, place, "Ready", "5s");
    await assert.rejects(waitForCondition(world.plane, place, "Stalled", "1s"), /timed out/);
  });

  test("F1: finds the object's own generation where every tool looks for it", async () => {
    const { place } = await aReadyClass(world, "generations");
    const generation = await editClass(world, place, await world.object("another"));
    await waitForGeneration(world.plane, place, generation);

    const { metadata, status } = await storedAt(world, place);
    assert.deepEqual([status?.observedClassGeneration, status?.observedGeneration, metadata.generation], [generation, 1, 1]);
    assert.deepEqual([...new Set(status?.conditions?.map(({ observedGeneration }) => observedGeneration))], [1]);
  });

  test("for the generation of an edit, then for Ready, never gets the answer to the edit before", async () => {
    const { place, object } = await aReadyClass(world, "edited");
    for (const next of [ABSENT, object, ABSENT, object, ABSENT, object]) {
      await waitForGeneration(world.plane, place, await editClass(world, place, next));
      assert.equal(await readyAt(world, place), next === ABSENT ? "False" : "True");
    }
  });
});

describe("statuses of older versions, at an upgrade", { skip }, () => {
  let world: SyncWorld;
  before(async () => {
    world = await startSyncWorld();
  });
  after(async () => {
    await world?.stop();
  });

  for (const version of ["0.2.0", "0.3.0"]) {
    test(`F1: are stored as this version does, with the definitions of ${version} brought up to date, and nothing is fetched`, async () => {
      const worker = await world.product.start("sync", UNPOLLED);
      const { place } = await aReadyClass(world, `from-${version.replaceAll(".", "-")}`);
      const second = await world.object("second");
      await waitForGeneration(world.plane, place, await editClass(world, place, second));
      const status = readStatus((await storedAt(world, place)).status);
      assert.ok(status !== undefined);
      await worker.stop();
      await world.plane.kubectl(["replace", "-f", path.join(MANIFESTS, `releases/${version}/crds.yaml`)]);
      const body = {
        apiVersion: "keyvault-injector.dev/v1alpha1",
        kind: "SecretProviderClassSync",
        metadata: place,
        status: olderForm(status),
      };
      const where = `${statusPath(place)}/status?fieldManager=${FIELD_MANAGER}&force=true`;
      await eventually(
        () =>
          send(world.plane, { method: "PATCH", path: where, body, contentType: APPLY_PATCH }).then(
            () => true,
            () => false,
          ),
        { what: `the definition of ${version} to be in force` },
      );
      assert.equal((await storedAt(world, place)).status?.observedGeneration, 2);
      const fetches = await fetchesOf(world, second);
      assert.ok(fetches > 0);

      const next = await world.product.start("sync", UNPOLLED);
      await waitForCondition(world.plane, place, "Ready");

      const now = await storedAt(world, place);
      assert.deepEqual([now.status?.observedClassGeneration, now.status?.observedGeneration, now.status?.secretsSynced], [2, 1, undefined]);
      assert.equal(await fetchesOf(world, second), fetches);
      await next.stop();
    });
  }
});

describe(`the worker of ${RELEASE.version}`, { skip: noRelease === undefined ? skip : `SKIPPED: ${noRelease}` }, () => {
  let world: SyncWorld;
  let older: Product;
  before(async () => {
    const { image, manifests } = builtCommit(RELEASE.commit);
    world = await startSyncWorld({ main: `${image}/dist/main.js`, manifests });
    older = world.product;
  });
  after(async () => {
    await world?.stop();
  });

  const isGone = (worker: ProductProcess): Promise<number> => worker.stop();

  test("leaves statuses that this one reads and stores anew, and goes on from those that this one leaves", async () => {
    const first = await older.start("sync");
    const { place } = await aReadyClass(world, "shop");
    const second = await world.object("second");
    await editClass(world, place, second);
    await eventually(async () => (await storedAt(world, place)).status?.observedGeneration === 2, { what: "0.3.0's answer to the edit" });
    assert.equal(await readyAt(world, place), undefined);
    await isGone(first);

    const product = await installProduct(world.plane, { environment: world.environment });
    const worker = await product.start("sync", { within: 60_000 });
    await waitForGeneration(world.plane, place, 2);
    await waitForCondition(world.plane, place, "Ready");
    assert.deepEqual(await dataOf(world.plane, place.namespace, place.name), { value: "second" });
    await isGone(worker);

    // Back to the older version. The definitions stay, as after a rollback with Helm.
    const third = await world.object("third");
    await editClass(world, place, third);
    const again = await older.start("sync", { within: 60_000 });
    await eventually(async () => (await dataOf(world.plane, place.namespace, place.name))?.["value"] === "third", { what: "the edit" });
    await eventually(async () => (await storedAt(world, place)).status?.observedGeneration === 3, { what: "its status in the older form" });
    await isGone(again);

    const last = await product.start("sync", { within: 60_000 });
    await waitForGeneration(world.plane, place, 3);
    await waitForCondition(world.plane, place, "Ready");
    await product.stop();
    assert.equal(await isGone(last), 0);
  });
});
