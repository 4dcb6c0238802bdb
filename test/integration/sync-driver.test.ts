import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { OwnerReference, Secret } from "../../src/domain/kubernetes.ts";
import type { Condition } from "../../src/domain/sync/status-fields.ts";
import { DRIVER_MANAGED_LABEL } from "../../src/domain/sync/take-over.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { at } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  assertNothingForbidden,
  classOf,
  classPath,
  createClass,
  dataOf,
  eventsOf,
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
  writesOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const NAME = "mirrored";
const OWNER = "app-5d8f";
const BINDING = "secretprovidersyncing-rolebinding";
const ARGS = ["--rotation-poll-interval=24h"];

let world: SyncWorld;
let worker: ProductProcess;

const secretIn = async (namespace: string): Promise<Secret> => {
  const secret = await find<Secret>(world.plane, secretPath(namespace, NAME));
  assert.ok(secret);
  return secret;
};

interface ClassChoice {
  readonly name?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Creates the role and binding of the driver's chart with `syncSecret.enabled: true`. */
async function driverSyncOn(): Promise<void> {
  const rules = [{ apiGroups: [""], resources: ["secrets"], verbs: ["create", "delete", "get", "list", "patch", "update", "watch"] }];
  const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "secretprovidersyncing-role" }, rules };
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "secretprovidersyncing-role" };
  const subjects = [{ kind: "ServiceAccount", name: "secrets-store-csi-driver", namespace: "kube-system" }];
  const binding = { apiVersion: role.apiVersion, kind: "ClusterRoleBinding", metadata: { name: BINDING }, roleRef, subjects };
  await world.plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: [role, binding] }));
}

const driverSyncOff = (): Promise<string> => world.plane.kubectl(["delete", "clusterrolebinding", BINDING, "--ignore-not-found"]);

/** Creates the workload of the pods that mount the class. */
async function replicaSetIn(namespace: string): Promise<OwnerReference> {
  const labels = { app: "app" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "app", image: "app" }] } };
  const spec = { replicas: 0, selector: { matchLabels: labels }, template };
  const body = { apiVersion: "apps/v1", kind: "ReplicaSet", metadata: { name: OWNER }, spec };
  const { body: made } = await send(world.plane, { method: "POST", path: `/apis/apps/v1/namespaces/${namespace}/replicasets`, body });
  return { apiVersion: "apps/v1", kind: "ReplicaSet", name: OWNER, uid: String(at(made, "metadata", "uid")) };
}

/** Returns the Secret that the driver's sync writes: with its label, and the workload as the owner. */
async function driverMade(namespace: string, value: string) {
  const owner = await replicaSetIn(namespace);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: NAME, labels: { [DRIVER_MANAGED_LABEL]: "true" }, ownerReferences: [owner] },
    type: "Opaque",
    stringData: { value },
  };
}

async function aClass(namespace: string, { name = "demo", annotations = {} }: ClassChoice = {}): Promise<Place> {
  const place = { namespace, name };
  const object = await world.object("of the vault");
  await createClass(world.plane, classOf(world, { ...place, objects: [object], secretObjects: [opaque(NAME, object)], annotations }));
  return place;
}

const firstReasonOf = async ({ namespace, name }: Place): Promise<Condition> =>
  eventually(async () => (await statusOf(world.plane, namespace, name))?.conditions.find(({ type }) => type === "Synced"));

async function driverMadeSecret(): Promise<{ namespace: string; before: Secret }> {
  const namespace = await world.namespace();
  await send(world.plane, {
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/secrets`,
    body: await driverMade(namespace, "of the vault"),
  });
  return { namespace, before: await secretIn(namespace) };
}

const secretWrites = (namespace: string) =>
  writesOf(world.plane.audit()).filter((entry) => entry.resource === "secrets" && entry.namespace === namespace);

describe("a Secret that the CSI driver's own sync made", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    await driverSyncOn();
    worker = await world.product.start("sync", { args: ARGS });
  });
  after(async () => {
    await world?.stop();
  });

  test("is left to it while that sync is on, and taken over on the same object, same bytes, when it is off", async () => {
    const { namespace, before: made } = await driverMadeSecret();
    const place = await aClass(namespace);

    const { message } = await reasonIs(world.plane, place, "Conflict");
    assert.match(message, /is written by the CSI driver's own sync, which ClusterRoleBinding secretprovidersyncing-rolebinding allows/);
    assert.match(message, /turn that sync off \(set syncSecret\.enabled: false in the driver's chart, or delete the binding\)/);
    await eventually(async () => (await eventsOf(world.plane, place)).find((event) => event.message === message));
    assert.deepEqual(await secretIn(namespace), made);

    await driverSyncOff();

    await reasonIs(world.plane, place, "Synced");
    const taken = await eventually(async () => {
      const live = await secretIn(namespace);
      return live.metadata.ownerReferences === undefined ? live : undefined;
    });
    assert.equal(taken.metadata.uid, made.metadata.uid);
    assert.deepEqual(taken.data, made.data);
    assert.deepEqual(taken.metadata.labels, { [MANAGED_LABEL]: "true" });

    // The control is a copy that keeps its owner: once the garbage collector has deleted the copy, it has also checked our Secret.
    const copy = { apiVersion: "v1", kind: "Secret", metadata: { name: "copy", ownerReferences: made.metadata.ownerReferences } };
    await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body: copy });
    await send(world.plane, { method: "DELETE", path: `/apis/apps/v1/namespaces/${namespace}/replicasets/${OWNER}` });
    await eventually(async () => (await find(world.plane, secretPath(namespace, "copy"))) === undefined, { what: "the end of the copy" });
    assert.equal((await secretIn(namespace)).metadata.uid, made.metadata.uid);
  });

  test("S10: is left alone by a younger class, whoever wrote that, while an older one names it, and becomes the older one's", async () => {
    const { namespace, before: made } = await driverMadeSecret();
    // The driver created it for this class, which is not synced yet.
    const older = await aClass(namespace, { name: "app", annotations: { [CLASS_ANNOTATIONS.sync]: "never" } });
    const younger = await aClass(namespace, { name: "bait" });

    const { reason, message } = await firstReasonOf(younger);

    assert.equal(reason, "Conflict");
    assert.match(message, /was created by the CSI driver's own sync, and the older class app also names it/);
    assert.deepEqual(await secretIn(namespace), made);

    const asks = { metadata: { annotations: { [CLASS_ANNOTATIONS.sync]: null } } };
    await mergePatch(world.plane, classPath(namespace, older.name), asks);
    await reasonIs(world.plane, older, "Synced");
    await reasonIs(world.plane, younger, "Conflict");
    const { metadata } = await secretIn(namespace);
    assert.deepEqual([metadata.uid, metadata.annotations?.[SECRET_ANNOTATIONS.class]], [made.metadata.uid, "app"]);
  });

  test("is reported, not fought, when that sync is switched on again and writes over ours", async () => {
    const namespace = await world.namespace();
    const place = await aClass(namespace);
    await reasonIs(world.plane, place, "Synced");
    const ours = await secretIn(namespace);

    await driverSyncOn();
    // The driver's version 1.6 does the same: it writes the whole object, even if another client created it.
    await send(world.plane, { method: "PUT", path: secretPath(namespace, NAME), body: await driverMade(namespace, "of the driver") });

    await reasonIs(world.plane, place, "Conflict");
    const attempts = (): number => secretWrites(namespace).filter(({ verb }) => verb === "create").length;
    const before = attempts();
    // The next attempts follow automatically within seconds and end like the first.
    await eventually(() => attempts() > before + 1, { what: "further attempts" });
    assert.deepEqual(secretWrites(namespace).filter(({ code }) => code < 300).length, 1, "only the first write, before the driver came");
    assert.deepEqual(await dataOf(world.plane, namespace, NAME), { value: "of the driver" });

    await driverSyncOff();
    await reasonIs(world.plane, place, "Synced");
    assert.deepEqual(await dataOf(world.plane, namespace, NAME), { value: "of the vault" });
    assert.equal((await secretIn(namespace)).metadata.uid, ours.metadata.uid);
  });

  test("loses the owners and the driver's label that somebody puts on ours, so that nothing collects it", async () => {
    const namespace = await world.namespace();
    const place = await aClass(namespace);
    await reasonIs(world.plane, place, "Synced");

    const { metadata } = await driverMade(namespace, "");
    await send(world.plane, {
      method: "PATCH",
      path: secretPath(namespace, NAME),
      body: { metadata },
      contentType: "application/merge-patch+json",
    });

    await eventually(async () => {
      const { metadata: live } = await secretIn(namespace);
      return live.ownerReferences === undefined && live.labels?.[DRIVER_MANAGED_LABEL] === undefined;
    });
  });

  test("stays the driver's with --adopt-driver-secrets=false", async () => {
    await worker.stop();
    worker = await world.product.start("sync", { args: [...ARGS, "--adopt-driver-secrets=false"] });
    const { namespace, before: made } = await driverMadeSecret();

    const { message } = await reasonIs(world.plane, await aClass(namespace), "Conflict");

    assert.match(message, /was created by the CSI driver's own sync, and --adopt-driver-secrets is false/);
    assert.deepEqual(await secretIn(namespace), made);
  });

  test("needed no request that was refused", () => assertNothingForbidden("sync-driver", world.plane));
});
