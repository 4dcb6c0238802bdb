/** KEYVAULT_INJECTOR_CLUSTERS=1 where the machine is too busy for two control planes: it takes twice as long. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import { apiRequest, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  classOf,
  createClass,
  find,
  LEASE,
  mirroredSecrets,
  OBJECTS,
  opaque,
  type SyncWorld,
  secretPath,
  startSyncWorld,
} from "../support/worker/sync-world.ts";
import { judgeWriters, writersPolicy } from "./writers.ts";

const refusal = controlPlaneRefusal();

const KILLS = 20;
/** Side by side, because a kill is mostly a wait for the Lease to run out. */
const CLUSTERS = Number(process.env["KEYVAULT_INJECTOR_CLUSTERS"] ?? "2");
const SECRETS = 50;
/** Pause between two rotations of a cluster (milliseconds): all that a poll interval holds. */
const ROTATION_MS = 200;
const SYNC = { args: ["--rotation-poll-interval=10s"] };

interface Cluster {
  readonly world: SyncWorld;
  readonly namespace: string;
  /** Current version by object. */
  readonly versions: Map<string, string>;
  rotations: number;
}

let folder: string;
let clusters: readonly Cluster[] = [];

async function startCluster(): Promise<Cluster> {
  const policy = path.join(folder, "audit-policy.json");
  writeFileSync(policy, JSON.stringify(writersPolicy()));
  const world = await startSyncWorld({ controlPlane: { controllerManager: false, apiServerFlags: { "audit-policy-file": policy } } });
  const cluster = { world, namespace: await world.namespace(), versions: new Map<string, string>(), rotations: 0 };
  await world.emulator.grant({ vault: world.vault, appId: world.principal.appId, permissions: ["list"] });
  for (let index = 0; index < SECRETS; index += 1) {
    const name = `object-${index}`;
    await rotate(cluster, name);
    const facts = { namespace: cluster.namespace, name, objects: [name], secretObjects: [opaque(name, name)] };
    await createClass(world.plane, classOf(world, facts));
  }
  return cluster;
}

async function rotate(cluster: Cluster, name: string): Promise<void> {
  cluster.rotations += 1;
  const { emulator, vault } = cluster.world;
  const { version } = await emulator.setSecret({ vault, name, value: `${name}-${cluster.rotations}` });
  cluster.versions.set(name, version);
}

/** Until told to stop: one object after the other. */
async function keepRotating(cluster: Cluster, signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted; turn += 1) {
    await rotate(cluster, `object-${(turn * 7) % SECRETS}`);
    await new Promise((resolve) => setTimeout(resolve, ROTATION_MS));
  }
}

/** Names of Secrets that do not have the vault's current version. */
async function lostIn({ world, namespace, versions }: Cluster): Promise<readonly string[]> {
  const secrets = await mirroredSecrets(world.plane, namespace);
  const held = new Map(secrets.map(({ metadata }) => [metadata.name, metadata.annotations?.[OBJECTS]]));
  return [...versions].filter(([name, version]) => held.get(name) !== `secret/${name}@${version}`).map(([name]) => name);
}

async function holderIn({ world }: Cluster): Promise<string> {
  const lease = await find<KubeObject & { readonly spec?: { readonly holderIdentity?: string } }>(world.plane, LEASE);
  return lease?.spec?.holderIdentity ?? "";
}

function isHeldBy(holder: string, { healthUrl }: ProductProcess): boolean {
  return holder.startsWith(`keyvault-injector-sync-${new URL(healthUrl).port}_`);
}

/** Kills whoever leads while it writes; resolves with the milliseconds until the other one leads. */
async function killLeader(cluster: Cluster, replicas: ProductProcess[]): Promise<number> {
  const holder = await holderIn(cluster);
  const leader = replicas.find((replica) => isHeldBy(holder, replica));
  assert.ok(leader, `the Lease is held by ${holder}`);
  await eventually(() => leader.log().includes("writing a Secret"), { what: "a write of the leader", every: 20 });
  const killed = performance.now();
  await leader.kill();
  replicas.splice(replicas.indexOf(leader), 1);
  const isLed = async () => ![holder, ""].includes(await holderIn(cluster));
  const failover = async () => {
    await eventually(isLed, { what: "another leader", within: 60_000, every: 100 });
    return performance.now() - killed;
  };
  const [took, replacement] = await Promise.all([failover(), cluster.world.product.start("sync", SYNC)]);
  replicas.push(replacement);
  return took;
}

async function killLeaders(cluster: Cluster): Promise<readonly number[]> {
  const { product } = cluster.world;
  const replicas = [await product.start("sync", SYNC)];
  await eventually(async () => (await lostIn(cluster)).length === 0, { what: "the first sync", within: 60_000 });
  replicas.push(await product.start("sync", SYNC));
  const stop = new AbortController();
  const rotating = keepRotating(cluster, stop.signal);
  const failovers: number[] = [];
  try {
    for (let kill = 0; kill < KILLS / CLUSTERS; kill += 1) failovers.push(await killLeader(cluster, replicas));
  } finally {
    stop.abort();
    await rotating;
  }
  return failovers;
}

const seconds = (milliseconds: number): string => (milliseconds / 1_000).toFixed(1);

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

describe("two replicas of the sync worker", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "leader-kills-"));
    // One after the other: the environment names the binaries while one starts.
    for (let index = 0; index < CLUSTERS; index += 1) clusters = [...clusters, await startCluster()];
  });
  after(async () => {
    await Promise.all(clusters.map(({ world }) => world.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  test("lose no rotation and write none twice, whichever of them is killed, and the other leads within 20 seconds", async () => {
    const results = await Promise.allSettled(clusters.map(killLeaders));
    const failovers = results.flatMap((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
    const left = await Promise.all(
      clusters.map(async (cluster) => {
        const isWhole = async () => (await lostIn(cluster)).length === 0;
        await eventually(isWhole, { within: 60_000, every: 250, what: "the vault's versions" }).catch(() => undefined);
        return lostIn(cluster);
      }),
    );

    const judged = clusters.map(({ world }) => judgeWriters(world.plane));
    const [lost, double] = [left.flat(), judged.flatMap((writers) => writers.double)];
    const reported = `failover median ${seconds(medianOf(failovers))} s, max ${seconds(Math.max(...failovers))} s`;
    console.log(`${failovers.length} leader kills: ${lost.length} lost, ${double.length} double writes, ${reported}`);
    const writes = judged.reduce((sum, writers) => sum + writers.secretWrites, 0);
    const rotations = clusters.reduce((sum, cluster) => sum + cluster.rotations, 0);
    console.log(`leader-kills: ${rotations} rotations, ${writes} writes of Secrets judged by the API server's audit log`);
    assert.deepEqual(lost, []);
    assert.deepEqual(double, []);
    assert.deepEqual(
      judged.flatMap((writers) => writers.withoutLease),
      [],
    );
    assert.ok(writes > CLUSTERS * SECRETS, "no rotation was written");
    assert.ok(Math.max(...failovers) < 20_000);
  });

  test("would be seen to write twice, or without the Lease", async () => {
    const [cluster] = clusters;
    assert.ok(cluster);
    const { world, namespace, versions } = cluster;
    const account = { namespace: "keyvault-injector", name: "keyvault-injector-sync" };
    const kubeconfig = parse(readFileSync(await world.plane.kubeconfigFor(account), "utf8")) as {
      readonly users: readonly { readonly user: { readonly tokenFile: string } }[];
    }; // As the control plane wrote it.
    const token = readFileSync(kubeconfig.users[0]?.user.tokenFile ?? "", "utf8");
    const annotations = { [OBJECTS]: `secret/object-0@${versions.get("object-0") ?? ""}` };
    const call = { path: secretPath(namespace, "object-0"), body: { metadata: { annotations } }, contentType: MERGE_PATCH, token };
    assert.equal((await apiRequest(world.plane, { method: "PATCH", ...call })).status, 200);

    const { double, withoutLease } = await eventually(
      () => {
        const judged = judgeWriters(world.plane);
        return judged.double.length > 0 && judged;
      },
      { what: "the planted write in the audit log" },
    );

    console.log(`leader-kills: control: ${double.length} double write and ${withoutLease.length} without the Lease seen`);
    assert.deepEqual([double.length, withoutLease.length], [1, 1]);
    assert.match(double[0] ?? "", new RegExp(`^${namespace}/object-0@secret/object-0@`));
  });

  test("would be seen to lose a rotation", async () => {
    const [cluster] = clusters;
    assert.ok(cluster);
    await cluster.world.product.stop();

    await rotate(cluster, "object-1");

    const lost = await lostIn(cluster);
    console.log(`leader-kills: control: ${lost.length} lost seen with no worker running`);
    assert.deepEqual(lost, ["object-1"]);
  });
});
