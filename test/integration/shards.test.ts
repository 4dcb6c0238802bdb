import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS, GRANT_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { shardLease } from "../../src/domain/shards.ts";
import { shardOf } from "../../src/runtime/shard-of.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import { samplesOf } from "../support/worker/metric-samples.ts";
import {
  assertNothingForbidden,
  CLASS_CRD,
  classOf,
  createClass,
  dataOf,
  find,
  LEASE,
  mergePatch,
  mirroredSecrets,
  OBJECTS,
  opaque,
  type SyncWorld,
  startSyncWorld,
} from "../support/worker/sync-world.ts";
import { judgeWriters, writersPolicy } from "./writers.ts";

const refusal = controlPlaneRefusal();
const NAMESPACES = 8;
/** Of each namespace. */
const CLASSES = 3;
/** Pause between two rotations (milliseconds). */
const ROTATION_MS = 250;

const argsOf = (shards: number): { readonly args: readonly string[] } => ({
  // Its Role is not the manifests' own here, which it would heal.
  args: [`--shards=${shards}`, "--rotation-poll-interval=10s", "--heal=crds,classes"],
});

let folder: string;
let world: SyncWorld;
let namespaces: readonly string[];
/** Current version by object. */
const versions = new Map<string, string>();
let rotations = 0;

async function rotate(name: string): Promise<void> {
  rotations += 1;
  const { version } = await world.emulator.setSecret({ vault: world.vault, name, value: `${name}-${rotations}` });
  versions.set(name, version);
}

const objects = (): readonly string[] =>
  namespaces.flatMap((namespace) => Array.from({ length: CLASSES }, (_, index) => `${namespace}-object-${index}`));

const namespaceOf = (object: string): string => object.split("-object-")[0] ?? "";

/** Each object has a class of its name. */
const classPath = (object: string): string =>
  `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${namespaceOf(object)}/secretproviderclasses/${object}`;

async function lost(): Promise<readonly string[]> {
  const held = new Map<string, string | undefined>();
  for (const namespace of namespaces)
    for (const { metadata } of await mirroredSecrets(world.plane, namespace)) held.set(metadata.name, metadata.annotations?.[OBJECTS]);
  return objects().filter((name) => held.get(name) !== `secret/${name}@${versions.get(name) ?? ""}`);
}

const isWhole = (what: string): Promise<true> =>
  eventually(async () => (await lost()).length === 0 || undefined, { what, within: 60_000, every: 250 });

/** The namespaces that a process has synced a class of. */
function syncedBy(process: ProductProcess): ReadonlySet<string> {
  const synced = process
    .log()
    .split("\n")
    .filter((line) => line.includes("class synced"));
  return new Set(synced.map((line) => /"class":"([^/"]+)\//.exec(line)?.[1] ?? ""));
}

async function isLeading(process: ProductProcess): Promise<boolean> {
  return samplesOf(await process.metrics()).value("leader") === 1;
}

describe("shards of the sync worker", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let old: readonly ProductProcess[];
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "shards-"));
    const policy = path.join(folder, "audit-policy.json");
    writeFileSync(policy, JSON.stringify(writersPolicy()));
    world = await startSyncWorld({ controlPlane: { controllerManager: false, apiServerFlags: { "audit-policy-file": policy } } });
    await world.emulator.grant({ vault: world.vault, appId: world.principal.appId, permissions: ["list"] });
    const made: string[] = [];
    for (let index = 0; index < NAMESPACES; index += 1) made.push(await world.namespace());
    namespaces = made;
    for (const name of objects()) {
      await rotate(name);
      const namespace = namespaceOf(name);
      await createClass(world.plane, classOf(world, { namespace, name, objects: [name], secretObjects: [opaque(name, name)] }));
    }
  });
  after(async () => {
    await world?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("each serve their namespaces and no others, and one pod stands by", async () => {
    old = [
      await world.product.start("sync", argsOf(2)),
      await world.product.start("sync", argsOf(2)),
      await world.product.start("sync", argsOf(2)),
    ];
    await isWhole("the first sync");
    // A class is told as synced after its Secrets are written.
    const reported = (): ReadonlySet<string> => new Set(old.flatMap((process) => [...syncedBy(process)]));
    await eventually(() => reported().size === NAMESPACES || undefined, { what: "a class of each namespace in the logs" });

    const served = old.map((process) => [...syncedBy(process)].toSorted());
    const expected = [0, 1].map((shard) => namespaces.filter((namespace) => shardOf(namespace, 2) === shard).toSorted());
    assert.ok(
      expected.every((each) => each.length > 0),
      "no namespace for a shard",
    );
    assert.deepEqual(
      served.toSorted((a, b) => a.join().localeCompare(b.join())),
      [[], ...expected].toSorted((a, b) => a.join().localeCompare(b.join())),
    );
    const leading = await Promise.all(old.map(isLeading));
    assert.equal(leading.filter(Boolean).length, 2);
  });

  test("copy a Secret into the namespace of another shard, and take it away again", async () => {
    const [source = ""] = namespaces.filter((namespace) => shardOf(namespace, 2) === 0);
    const [target = ""] = namespaces.filter((namespace) => shardOf(namespace, 2) === 1);
    const name = `${source}-object-0`;
    const path = classPath(name);
    await mergePatch(world.plane, `/api/v1/namespaces/${target}`, {
      metadata: { annotations: { [GRANT_ANNOTATIONS.mirrorsFrom]: `${source}/*` } },
    });
    await mergePatch(world.plane, path, { metadata: { annotations: { [CLASS_ANNOTATIONS.mirrorTo]: target } } });
    await eventually(async () => (await dataOf(world.plane, target, name)) !== undefined || undefined, {
      what: "the copy",
      within: 30_000,
    });
    await mergePatch(world.plane, path, { metadata: { annotations: { [CLASS_ANNOTATIONS.mirrorTo]: null } } });
    await eventually(async () => (await dataOf(world.plane, target, name)) === undefined || undefined, { what: "no copy", within: 30_000 });
  });

  test("restore the classes of all namespaces when their CRD is deleted", async () => {
    const definition = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${CLASS_CRD}`;
    const uidOf = async (): Promise<string | undefined> => (await find(world.plane, definition))?.metadata.uid;
    const before = await uidOf();
    await world.plane.kubectl(["delete", "crd", CLASS_CRD, "--wait=false"]);
    const areBack = async (): Promise<true | undefined> => {
      if ([undefined, before].includes(await uidOf())) return undefined;
      const found = await Promise.all(objects().map((name) => find(world.plane, classPath(name))));
      return found.every((one) => one !== undefined) || undefined;
    };
    await eventually(areBack, { what: "all classes", within: 60_000, every: 500 });
  });

  test("lose no rotation and write none twice while two become three, pod by pod", async () => {
    await isWhole("before the change");
    const stop = new AbortController();
    const rotating = (async () => {
      const names = objects();
      for (let turn = 0; !stop.signal.aborted; turn += 1) {
        await rotate(names[(turn * 7) % names.length] ?? "");
        await new Promise((resolve) => setTimeout(resolve, ROTATION_MS));
      }
    })();
    const fresh: ProductProcess[] = [];
    try {
      for (const each of old) {
        fresh.push(await world.product.start("sync", argsOf(3)));
        await each.stop();
      }
      const leads = async (): Promise<true | undefined> => {
        const leading = await Promise.all(fresh.map(isLeading));
        return leading.every(Boolean) || undefined;
      };
      await eventually(leads, { what: "three leaders", within: 60_000, every: 250 });
    } finally {
      stop.abort();
      await rotating;
    }
    await isWhole("all rotations");

    const leases = Array.from({ length: 3 }, (_, shard) => shardLease(LEASE, shard));
    const judged = judgeWriters(world.plane, leases);
    console.log(
      `shards: ${rotations} rotations, ${judged.secretWrites} writes, ${judged.double.length} double, ${judged.withoutLease.length} without a Lease`,
    );
    assert.deepEqual([judged.double, judged.withoutLease], [[], []]);
    for (const [index, process] of fresh.entries()) {
      const shards = new Set([...syncedBy(process)].map((namespace) => shardOf(namespace, 3)));
      assert.ok(shards.size <= 1, `process ${index} served shards ${[...shards].join(", ")}`);
    }
    assertNothingForbidden("shards", world.plane);
  });
});
