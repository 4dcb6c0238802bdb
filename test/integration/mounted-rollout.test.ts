import assert from "node:assert/strict";
import path from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { CLASS_ANNOTATIONS, POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { ObjectStatus } from "../../src/domain/sync/status-fields.ts";
import { forbidden } from "../support/cluster/audit.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { deleteRecords, mountAs } from "../support/cluster/driver-records.ts";
import { type PodReadiness, startPodReadiness } from "../support/cluster/pod-readiness.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { type RolloutSteps, rolloutSteps } from "../support/cluster/rollout-steps.ts";
import { MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { isReady, liveWorkload, podsOf, recordedStampOf, restartStampOf, type WorkloadFacts } from "../support/cluster/workloads.ts";
import { eventually } from "../support/time/eventually.ts";
import { clockShows } from "../support/time/wall-clock.ts";
import {
  classOf,
  classPath,
  createClass,
  mergePatch,
  reasonIs,
  type SyncWorld,
  startSyncWorld,
  statusOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();

/** No polls, and a long grace time for the driver: the tests control all events. */
const PATIENT = ["--rotation-poll-interval=24h", "--rollout-timeout=20s", "--mounted-files-grace=24h"];

let world: SyncWorld;
let worker: ProductProcess;
let pods: PodReadiness;
let steps: RolloutSteps;

/** A class without synced Secrets, and its only object. */
interface MountedOnly {
  readonly namespace: string;
  readonly name: string;
  readonly object: string;
}

async function mountedOnly(name = "files"): Promise<MountedOnly> {
  const place = { namespace: await world.namespace(), name };
  const object = await world.object(`first of ${name}`);
  await createClass(world.plane, classOf(world, { ...place, objects: [object], secretObjects: [] }));
  return { ...place, object };
}

const objectsOf = async ({ namespace, name }: MountedOnly): Promise<readonly ObjectStatus[] | undefined> =>
  (await statusOf(world.plane, namespace, name))?.objects;

async function versionOf(of: MountedOnly, before?: string): Promise<string> {
  const known = async (): Promise<string | undefined> => {
    const version = (await objectsOf(of))?.[0]?.version;
    return version === before ? undefined : version;
  };
  return eventually(known, { what: `a version of ${of.object}` });
}

/** Makes the worker query the vault now. */
async function refresh({ namespace, name }: MountedOnly): Promise<void> {
  const annotations = { [CLASS_ANNOTATIONS.refresh]: `${Date.now()}` };
  await mergePatch(world.plane, classPath(namespace, name), { metadata: { annotations } });
}

/**
 * Creates a new version and waits until the worker knows it. Resolves with the version. The worker treats pods as younger if they were
 * created less than five seconds before, because clocks differ.
 */
async function rotate(of: MountedOnly): Promise<string> {
  const before = await versionOf(of);
  await world.emulator.rotateSecret({ vault: world.vault, name: of.object, value: `second of ${of.name}` });
  await refresh(of);
  return versionOf(of, before);
}

/** Writes the record that the driver writes when the workload's pods have these files. */
const mounted = (facts: WorkloadFacts, { name, object }: MountedOnly, version: string) =>
  mountAs(world, facts, { className: name, objects: { [`secret/${object}`]: version } });

/** Creates a workload that runs with the current files of the vault, and waits until the worker knows this. */
async function running(of: MountedOnly, name = "web"): Promise<WorkloadFacts> {
  const facts = await steps.running({ name, classes: [of.name] }, { ...of });
  await mounted(facts, of, await versionOf(of));
  await steps.recorded(facts);
  return facts;
}

const awaits = (of: MountedOnly) => steps.rotatedIs(of, "AwaitingFiles");

async function restartedPods(facts: WorkloadFacts): Promise<void> {
  await steps.restarted(facts);
  await eventually(() => isReady(world.plane, facts), { what: `ready pods of ${facts.name}` });
}

describe("workloads that only mount", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    // The driver's own account and rights. The driver itself does not run.
    await world.plane.kubectl(["apply", "-f", path.join(MANIFESTS, "components", "csi-driver", "rbac.yaml")]);
    steps = rolloutSteps(world);
    pods = startPodReadiness(world.plane);
  });
  after(async () => {
    await pods?.stop();
    await world?.stop();
  });
  beforeEach(async () => {
    await worker?.stop();
    worker = await world.product.start("sync", { args: PATIENT });
  });

  test("are restarted once the files of their pods have the new version, and not before", async () => {
    const files = await mountedOnly();
    const web = await running(files);
    assert.ok(!(await steps.isRestarted(web)), "nothing is restarted at first sight");
    assert.match(
      (await statusOf(world.plane, files.namespace, files.name))?.conditions[0]?.message ?? "",
      /the class syncs no Secret; 1 object is tracked/,
    );

    const version = await rotate(files);
    const [pod = ""] = (await podsOf(world.plane, web)).map(({ metadata }) => metadata.name);
    const message = await awaits(files);
    assert.ok(message.startsWith("Deployment web will restart after its mounted files are updated") && message.endsWith(pod), message);
    assert.ok(!(await steps.isRestarted(web)));
    assert.match(await steps.reported(web, "AwaitingFiles"), /at the latest/);

    await mounted(web, files, version);
    await restartedPods(web);
    await mounted(web, files, version);
    assert.match(await steps.rotatedIs(files, "Rotated"), /all workloads that request restarts \(1\)/);
    assert.match(await steps.reported(web, "Restarted"), /the versions in files changed/);
  });

  test("are restarted when all of their pods have the files, not when some have", async () => {
    const files = await mountedOnly();
    const facts = await steps.running({ name: "pair", classes: [files.name], spec: { replicas: 2 } }, files);
    await eventually(async () => (await podsOf(world.plane, facts)).length === 2 && (await isReady(world.plane, facts)), {
      what: "two pods",
    });
    await mounted(facts, files, await versionOf(files));
    await steps.recorded(facts);
    const version = await rotate(files);
    await awaits(files);
    const all = await podsOf(world.plane, facts);
    const [first = "", second = ""] = all.map(({ metadata }) => metadata.name).sort();

    await mountAs(world, facts, { className: files.name, objects: { [`secret/${files.object}`]: version }, only: first });
    const left = new RegExp(`In 1 of its pods, the files of .* do not match the versions in the vault: ${second}$`);
    await eventually(async () => left.test(await awaits(files)), {
      what: "the pod that is left",
    });
    assert.ok(!(await steps.isRestarted(facts)));
    await mountAs(world, facts, { className: files.name, objects: { [`secret/${files.object}`]: version }, only: second });
    await restartedPods(facts);
  });

  test("are restarted after a time of grace where the driver does not rotate", async () => {
    await worker.stop();
    worker = await world.product.start("sync", { args: [...PATIENT, "--mounted-files-grace=1s"] });
    const files = await mountedOnly();
    const web = await running(files);
    await rotate(files);
    await restartedPods(web);
  });

  test("are not restarted a second time for a version, by another worker, after a restart of the driver, or without its records", async () => {
    const files = await mountedOnly();
    const web = await running(files);
    const version = await rotate(files);
    await mounted(web, files, version);
    await restartedPods(web);
    await mounted(web, files, version);
    await steps.rotatedIs(files, "Rotated");
    const stamp = await restartStampOf(world.plane, web);

    await worker.stop();
    await deleteRecords(world, files.namespace);
    worker = await world.product.start("sync", { args: PATIENT });
    await refresh(files);
    // The worker evaluates another workload afterwards, so by then it would have restarted this one.
    const other = await running(files, "other");
    assert.equal(await restartStampOf(world.plane, web), stamp);
    const next = await rotate(files);
    await mounted(other, files, next);
    await mounted(web, files, next);
    await restartedPods(other);
    await eventually(async () => (await restartStampOf(world.plane, web)) !== stamp, { what: "the restart for the next version" });
    // A Deployment's generation also counts changes of its annotations. The revision of its controller counts only templates.
    const revision = async () => (await liveWorkload(world.plane, web)).metadata.annotations?.["deployment.kubernetes.io/revision"];
    await eventually(async () => Number(await revision()) >= 3, { what: "the third template" });
    assert.equal(await revision(), "3", "made, restarted for the second version, and for the third");
  });

  test("are restarted by another worker for what was rotated while none ran", async () => {
    const files = await mountedOnly();
    const web = await running(files);
    const before = await versionOf(files);
    await worker.stop();
    await world.emulator.rotateSecret({ vault: world.vault, name: files.object, value: "while nobody looked" });
    await refresh(files);
    worker = await world.product.start("sync", { args: PATIENT });
    const version = await versionOf(files, before);
    await awaits(files);
    await mounted(web, files, version);
    await restartedPods(web);
  });

  test("are restarted at first sight only where the driver's record proves an older mount", async () => {
    await worker.stop();
    const files = await mountedOnly();
    const place = { namespace: files.namespace };
    const [proven, young] = [
      { ...place, name: "proven" },
      { ...place, name: "young" },
    ];
    for (const { name } of [proven, young]) await steps.running({ name, classes: [files.name] }, files);
    await mounted(proven, files, "an-earlier-one");
    // The driver's record must be older than the version by more than clocks may differ.
    await clockShows(Date.now() + 7_000);
    await world.emulator.rotateSecret({ vault: world.vault, name: files.object, value: "younger" });
    worker = await world.product.start("sync", { args: PATIENT });

    const version = await versionOf(files);
    await awaits(files);
    await steps.recorded(young);
    await mounted(proven, files, version);
    await restartedPods(proven);
    assert.ok(!(await steps.isRestarted(young)));
  });

  test("stay as they are while the driver's kind is away, which the condition says", async () => {
    const files = await mountedOnly();
    const web = await running(files);
    await worker.stop();
    worker = await world.product.start("sync", { args: [...PATIENT, "--heal="] });
    await world.plane.kubectl(["delete", "crd", "secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io", "--wait=true"]);
    const version = await rotate(files);
    await eventually(async () => (await awaits(files)).includes("the versions of the files in its pods cannot be determined"), {
      what: "why",
    });
    assert.ok(!(await steps.isRestarted(web)));

    // After CRD healing, the driver's records are missing until the driver writes them again.
    await worker.stop();
    worker = await world.product.start("sync", { args: PATIENT });
    await eventually(async () => (await mounted(web, files, version).catch(() => [])).length > 0, { what: "the kind" });
    await restartedPods(web);
  });

  test("keep a class followed only as long as they ask, and cost the vault nothing otherwise", async () => {
    const files = await mountedOnly();
    const silent = { ...files, name: "silent" };
    await createClass(world.plane, classOf(world, { ...silent, objects: [files.object], secretObjects: [] }));
    const web = await running(files);
    await steps.running({ name: "quiet", classes: [silent.name], annotations: {} }, files);
    assert.equal(await objectsOf(silent), undefined, "nobody asks");
    assert.equal(await statusOf(world.plane, files.namespace, silent.name), undefined);

    const template = { metadata: { annotations: { [POD_ANNOTATIONS.restartOnRotation]: "false" } } };
    await mergePatch(world.plane, `/apis/apps/v1/namespaces/${files.namespace}/deployments/web`, { spec: { template } });
    await eventually(async () => (await statusOf(world.plane, files.namespace, files.name)) === undefined, {
      what: "the end of the status",
    });
    assert.ok((await recordedStampOf(world.plane, web)) !== undefined);
  });

  test("are told of an object that the vault does not have, and not restarted meanwhile: a new pod could not mount", async () => {
    const files = await mountedOnly();
    const web = await running(files);
    const two = classOf(world, { ...files, objects: [files.object, "missing"], secretObjects: [] });
    await mergePatch(world.plane, classPath(files.namespace, files.name), { spec: two.spec });
    await reasonIs(world.plane, files, "PartialSync");
    assert.deepEqual(
      (await objectsOf(files))?.map(({ object, state }) => [object, state]),
      [
        [`secret/${files.object}`, undefined],
        ["secret/missing", "ObjectNotFound"],
      ],
    );
    assert.ok(!(await steps.isRestarted(web)));

    await world.emulator.setSecret({ vault: world.vault, name: "missing", value: "there" });
    await refresh(files);
    await reasonIs(world.plane, files, "Synced");
    await awaits(files);
    const objects = Object.fromEntries(((await objectsOf(files)) ?? []).map(({ object, version = "" }) => [object, version]));
    await mountAs(world, web, { className: files.name, objects });
    await restartedPods(web);
  });

  test("need no right that the worker lacks", () => {
    const asked = forbidden(world.plane.audit()).filter(({ user }) => user.includes("keyvault-injector-sync"));
    assert.deepEqual(asked, []);
  });
});
