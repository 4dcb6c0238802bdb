import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { SNAPSHOT_ANNOTATIONS, SNAPSHOT_LABEL } from "../../src/domain/annotations.ts";
import { type ClassSnapshot, canonical, classSnapshotOf } from "../../src/domain/healing/snapshot.ts";
import type { KubeObject, Secret, SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import { clockShows } from "../support/time/wall-clock.ts";
import {
  assertNothingForbidden,
  CLASS_CRD,
  classOf,
  classPath,
  createClass,
  find,
  listAll,
  mergePatch,
  opaque,
  reasonIs,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const KEY_SECRET = secretPath("keyvault-injector", "keyvault-injector-sync-key");
const key = randomBytes(32);

interface Revision extends KubeObject {
  readonly revision: number;
  readonly data: ClassSnapshot;
}

let world: SyncWorld;
let worker: ProductProcess;
let namespace: string;

const revisionsIn = (where: string): string => `/apis/apps/v1/namespaces/${where}/controllerrevisions`;

async function snapshotsOf(className: string): Promise<readonly Revision[]> {
  const all = await listAll<Revision>(world.plane, `${revisionsIn(namespace)}?labelSelector=${SNAPSHOT_LABEL}=true`);
  return all.filter(({ data }) => data.name === className);
}

const liveClass = (name: string): Promise<SecretProviderClass | undefined> => find(world.plane, classPath(namespace, name));

function aClass(name: string, object: string): SecretProviderClass {
  return classOf(world, { namespace, name, objects: [object], secretObjects: [opaque(`${name}-secret`, object)] });
}

/** Recreates an object as a user with a copy of it would: the API server sets its own fields again. */
async function putBack({ apiVersion, kind, metadata, revision, data }: Revision, name: string): Promise<void> {
  const { labels = {}, annotations = {} } = metadata;
  const body = { apiVersion, kind, metadata: { name, labels, annotations }, revision, data };
  await send(world.plane, { method: "POST", path: revisionsIn(namespace), body });
}

/** Returns a snapshot in the form of 0.3.0, of a class that existed under another CRD than the current one. */
function snapshotOf030(provider: SecretProviderClass): Revision {
  const data = classSnapshotOf(provider, { crdUid: "another", crdGeneration: 1 });
  const text = canonical(data);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  const content = `v1:${createHmac("sha256", key).update(length).update(text).digest("hex")}`;
  const annotations = { [SNAPSHOT_ANNOTATIONS.class]: data.name, [SNAPSHOT_ANNOTATIONS.content]: content };
  const metadata = { name: "", labels: { [SNAPSHOT_LABEL]: "true" }, annotations };
  return { apiVersion: "apps/v1", kind: "ControllerRevision", metadata, revision: 1, data };
}

/** Waits until the worker has processed all earlier events: then it syncs a class that the test creates now. */
async function workerIsQuiet(name: string): Promise<void> {
  await createClass(world.plane, aClass(name, await world.object("barrier")));
  await reasonIs(world.plane, { namespace, name }, "Synced");
}

describe("snapshots after an upgrade from 0.3.0", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    namespace = await world.namespace();
    const body = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "keyvault-injector-sync-key" },
      data: { "hmac.key": key.toString("base64") },
    };
    await send(world.plane, { method: "POST", path: "/api/v1/namespaces/keyvault-injector/secrets", body });
    await putBack(snapshotOf030(aClass("lost", await world.object("lost"))), "of-the-former-version");
    worker = await world.product.start("sync", { args: ["--rotation-poll-interval=24h"] });
  });
  after(async () => {
    await world?.stop();
  });

  test("bring back a class that was lost before it, and are signed anew", async () => {
    await reasonIs(world.plane, { namespace, name: "lost" }, "Synced");

    const [snapshot] = await eventually(
      async () => {
        const all = await snapshotsOf("lost");
        return all.length === 1 && all;
      },
      { what: "one snapshot of the class" },
    );
    assert.match(snapshot?.metadata.annotations?.[SNAPSHOT_ANNOTATIONS.signature] ?? "", /^v2:/);
    const stored = await find<Secret>(world.plane, KEY_SECRET);
    assert.equal(stored?.data?.["hmac.key"], key.toString("base64"));
    assert.ok(Date.parse(Buffer.from(stored?.data?.["signed-since"] ?? "", "base64").toString()) <= Date.now());
  });

  test("S13: that somebody makes again after the upgrade restore nothing", async () => {
    // Wait for one second: the API server's timestamps are not more precise.
    const since = Date.parse(Buffer.from((await find<Secret>(world.plane, KEY_SECRET))?.data?.["signed-since"] ?? "", "base64").toString());
    // A worker that does not record it has no time to wait for.
    await clockShows((since || Date.now()) + 1_500);

    await putBack(snapshotOf030(aClass("ghost", await world.object("ghost"))), "ghost");

    await eventually(async () => worker.log().includes("newer than the upgrade") || (await liveClass("ghost")) !== undefined, {
      what: "a word about it, or its class",
    });
    await workerIsQuiet("barrier-1");
    assert.equal(await liveClass("ghost"), undefined);
  });

  test("S13: that somebody makes again beside a newer one give an edited class no former content", async () => {
    const place = { namespace, name: "edited" };
    await createClass(world.plane, aClass("edited", await world.object("first")));
    await reasonIs(world.plane, place, "Synced");
    const [old = assert.fail()] = await snapshotsOf("edited");
    const second = await world.object("second");
    const { spec } = aClass("edited", second);
    await mergePatch(world.plane, classPath(namespace, "edited"), { spec });
    await eventually(async () => (await snapshotsOf("edited"))[0]?.data.spec.parameters?.["objects"]?.includes(second) === true, {
      what: "the snapshot of the edited class",
    });
    const before = (await liveClass("edited"))?.metadata.uid;
    await worker.stop();
    await putBack(old, "put-back");

    await world.plane.kubectl(["delete", "crd", CLASS_CRD]);
    worker = await world.product.start("sync", { args: ["--rotation-poll-interval=24h"] });

    const restored = await eventually(
      async () => {
        const live = await liveClass("edited").catch(() => undefined);
        return live?.metadata.uid !== undefined && live.metadata.uid !== before && live;
      },
      { within: 40_000, what: "the class's return" },
    );
    assert.ok(restored.spec?.parameters?.["objects"]?.includes(second), "the class came back with its former content");
  });

  test("are written without a request that is refused", () => {
    assertNothingForbidden("snapshots after an upgrade", world.plane);
  });
});
