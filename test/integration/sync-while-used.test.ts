import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { KubeObject, Secret } from "../../src/domain/kubernetes.ts";
import { MERGE_PATCH } from "../support/cluster/api-request.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  assertNothingForbidden,
  classOf,
  createClass,
  dataOf,
  fetchesOf,
  find,
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

/** Long enough for a pod to return in time, and short enough to wait for its end. */
const GRACE_MS = 4_000;
const SYNC = { args: ["--rotation-poll-interval=24h", "--sync-mode=while-used", `--unused-grace=${GRACE_MS / 1_000}s`] };
const POD_STATUSES = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io";

let world: SyncWorld;
let worker: ProductProcess;

async function givenClass(annotations: Readonly<Record<string, string>> = {}): Promise<Place & { readonly object: string }> {
  const namespace = await world.namespace();
  // A controller creates this account. Without it, the API server rejects all pods.
  const account = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  await eventually(() => find<KubeObject>(world.plane, account), { what: "the default ServiceAccount" });
  const object = await world.object("of the vault");
  const place = { namespace, name: "demo" };
  await createClass(world.plane, classOf(world, { ...place, annotations, objects: [object], secretObjects: [opaque("app", object)] }));
  return { ...place, object };
}

/** Creates a pod that mounts the class. No node runs it. */
async function startPod({ namespace, name }: Place, pod: string): Promise<void> {
  const csi = { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass: name } };
  const spec = { containers: [{ name: "app", image: "app" }], volumes: [{ name: "secrets", csi }] };
  const body = { apiVersion: "v1", kind: "Pod", metadata: { name: pod }, spec };
  await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/pods`, body });
}

async function endPod({ namespace }: Place, pod: string): Promise<void> {
  const body = { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0 };
  await send(world.plane, { method: "DELETE", path: `/api/v1/namespaces/${namespace}/pods/${pod}`, body });
}

const secretOf = ({ namespace }: Place) => find<Secret>(world.plane, secretPath(namespace, "app"));

function isThere(place: Place): Promise<Secret> {
  return eventually(() => secretOf(place), { what: `the Secret of ${place.namespace}` });
}

function isGone(place: Place): Promise<true> {
  return eventually(async () => (await secretOf(place)) === undefined, { what: `the end of the Secret of ${place.namespace}` });
}

describe("a class that is mirrored while used", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    worker = await world.product.start("sync", SYNC);
  });
  after(async () => {
    await world?.stop();
  });

  test("has no Secret and asks no vault before a pod mounts it, says so, and has its Secret soon after one does", async () => {
    const place = await givenClass();
    const { message, status } = await reasonIs(world.plane, place, "Synced");
    assert.equal(status, "True");
    assert.match(message, /no pod mounts the class/);
    assert.deepEqual(await mirroredSecrets(world.plane, place.namespace), []);
    assert.equal(await fetchesOf(world, place.object), 0);

    const started = performance.now();
    await startPod(place, "first");
    await isThere(place);
    const took = performance.now() - started;
    console.log(`while-used: the Secret was there ${Math.round(took)} ms after the first pod`);
    assert.ok(took < 5_000);
    await eventually(async () => (await statusOf(world.plane, place.namespace, place.name))?.syncedSecrets === 1, {
      what: "the status",
    });
  });

  test("keeps its Secret for the grace after the last pod, then loses it, and has it again for the next pod", async () => {
    const place = await givenClass();
    await startPod(place, "one");
    await startPod(place, "two");
    await isThere(place);

    await endPod(place, "one");
    await endPod(place, "two");
    const ended = performance.now();
    await isGone(place);
    const kept = performance.now() - ended;
    console.log(`while-used: the Secret went ${Math.round(kept)} ms after the last pod, with a grace of ${GRACE_MS} ms`);
    assert.ok(kept >= GRACE_MS - 500);
    await eventually(async () => (await statusOf(world.plane, place.namespace, place.name))?.desiredSecrets === 0, {
      what: "the status without Secrets",
    });

    await startPod(place, "three");
    await isThere(place);
    await eventually(() => /no pod has mounted its class for \d+s/.test(worker.log()), { what: "the reason in the log" });
  });

  test("keeps the same Secret where pods are replaced within the grace, however often", async () => {
    const place = await givenClass();
    await startPod(place, "pod-0");
    const before = await isThere(place);

    // Each gap is shorter than the grace time, but all gaps together are longer.
    for (let round = 0; round < 3; round += 1) {
      await endPod(place, `pod-${round}`);
      const gap = performance.now();
      await eventually(() => performance.now() - gap > GRACE_MS * 0.6, { what: "a gap without a pod" });
      await startPod(place, `pod-${round + 1}`);
    }

    assert.equal((await secretOf(place))?.metadata.uid, before.metadata.uid);
  });

  test("counts a pod that has ended as no consumer, and one that waits as one", async () => {
    const place = await givenClass();
    await startPod(place, "job");
    await isThere(place);

    await send(world.plane, {
      method: "PATCH",
      path: `/api/v1/namespaces/${place.namespace}/pods/job/status`,
      body: { status: { phase: "Succeeded" } },
      contentType: MERGE_PATCH,
    });

    await isGone(place);
    // No node runs the pod, so it stays Pending.
    await startPod(place, "waiting");
    await isThere(place);
  });

  test("is not thought unused because the driver's pod statuses are gone with their definition", async () => {
    const place = await givenClass();
    await startPod(place, "app");
    const before = await isThere(place);
    const definition = await find<KubeObject>(world.plane, POD_STATUSES);

    await send(world.plane, { method: "DELETE", path: POD_STATUSES });

    await eventually(
      async () => {
        const now = await find<KubeObject>(world.plane, POD_STATUSES);
        return now !== undefined && now.metadata.uid !== definition?.metadata.uid;
      },
      { what: "the definition's return" },
    );
    const since = performance.now();
    await eventually(() => performance.now() - since > GRACE_MS * 1.5, { what: "more than the grace" });
    assert.equal((await secretOf(place))?.metadata.resourceVersion, before.metadata.resourceVersion);
  });

  test("keeps its Secret over a restart of the worker", async () => {
    const place = await givenClass();
    await startPod(place, "app");
    const before = await isThere(place);

    await worker.stop();
    worker = await world.product.start("sync", SYNC);
    const other = await givenClass();
    await startPod(other, "app");
    await isThere(other);

    assert.equal((await secretOf(place))?.metadata.resourceVersion, before.metadata.resourceVersion);
    // The control: pods that were deleted while no worker ran.
    await worker.stop();
    await endPod(place, "app");
    worker = await world.product.start("sync", SYNC);
    await isGone(place);
  });

  test("leaves its Secret, once nobody uses it, to another class that names it, on the same object", async () => {
    const place = await givenClass();
    await startPod(place, "one");
    const before = await isThere(place);
    const heir = { namespace: place.namespace, name: "heir" };
    const other = await world.object("of the heir");
    const annotations = { [CLASS_ANNOTATIONS.sync]: "always" };
    await createClass(world.plane, classOf(world, { ...heir, annotations, objects: [other], secretObjects: [opaque("app", other)] }));
    await reasonIs(world.plane, heir, "Conflict");

    await endPod(place, "one");

    await reasonIs(world.plane, heir, "Synced");
    assert.equal((await secretOf(place))?.metadata.uid, before.metadata.uid);
    assert.deepEqual(await dataOf(world.plane, place.namespace, "app"), { value: "of the heir" });
  });

  test("may say otherwise itself", async () => {
    const place = await givenClass({ [CLASS_ANNOTATIONS.sync]: "always" });

    await isThere(place);
  });

  test("was never refused a request", () => {
    assertNothingForbidden("while-used", world.plane);
  });
});
