import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS, CRD_ANNOTATIONS, SNAPSHOT_ANNOTATIONS, SNAPSHOT_LABEL } from "../../src/domain/annotations.ts";
import type { CustomResourceDefinition } from "../../src/domain/healing/crd.ts";
import { type ClassSnapshot, canonical } from "../../src/domain/healing/snapshot.ts";
import type { KubeObject, Secret, SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { JSON_PATCH } from "../support/cluster/api-request.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  allClasses,
  allStatuses,
  assertNothingForbidden,
  CLASS_CRD,
  classOf,
  classPath,
  createClass,
  dataOf,
  find,
  listAll,
  mergePatch,
  mirroredSecrets,
  opaque,
  STATUS_CRD,
  SYNC_USER,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const NAMESPACES = 5;
const PER_NAMESPACE = 20;
const COUNT = NAMESPACES * PER_NAMESPACE;
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** No polls, so that this suite causes every vault request of the worker. */
const SYNC = { args: ["--enable-secret-rotation=false"] };

interface Revision extends KubeObject {
  readonly revision: number;
  readonly data: ClassSnapshot;
}

let world: SyncWorld;
let worker: ProductProcess;
let namespaces: readonly string[];
/** The classes and Secrets as they were at the start, by `namespace/name`. */
let classes: ReadonlyMap<string, SecretProviderClass>;
let secrets: ReadonlyMap<string, string>;
let barriers = 0;

const kubectl = (args: readonly string[], input?: string): Promise<string> => world.plane.kubectl(args, input);
const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ""}/${metadata.name}`;
const classCrd = (): Promise<CustomResourceDefinition | undefined> => find(world.plane, `${CRDS}/${CLASS_CRD}`);
/** Each state of a CRD since a resourceVersion, in order. */
async function statesSince(name: string, resourceVersion = ""): Promise<readonly CustomResourceDefinition[]> {
  const query = `watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3D${name}&resourceVersion=${resourceVersion}`;
  const lines = (await kubectl(["get", "--raw", `${CRDS}?${query}`])).split("\n").filter((line) => line !== "");
  return lines.map((line) => (JSON.parse(line) as { readonly object: CustomResourceDefinition }).object);
}
const listOf = (items: readonly KubeObject[]): string => JSON.stringify({ apiVersion: "v1", kind: "List", items });

/** Parts that a restored class must have in common with the lost one. */
function contentOf({ metadata, spec }: SecretProviderClass): unknown {
  return { labels: metadata.labels, annotations: metadata.annotations, spec };
}

async function secretVersions(): Promise<ReadonlyMap<string, string>> {
  const found = await mirroredSecrets(world.plane);
  return new Map(found.map((secret) => [keyOf(secret), `${secret.metadata.uid} ${secret.metadata.resourceVersion}`]));
}

function changedIn(now: ReadonlyMap<string, string>): readonly string[] {
  return [...secrets].filter(([key, version]) => now.get(key) !== version).map(([key]) => key);
}

async function assertSecretsUntouched(): Promise<void> {
  assert.deepEqual(changedIn(await secretVersions()), []);
}

/** Resolves with the seconds since `started` when every expected class is complete and has a uid that is not in `lost`. */
async function classesAreBack(
  started: number,
  options: { readonly expected?: typeof classes; readonly lost?: ReadonlySet<string | undefined> } = {},
): Promise<string> {
  const { expected = classes, lost = new Set() } = options;
  let missing: readonly string[] = [];
  await eventually(
    async () => {
      const live = (await allClasses(world.plane)).filter(({ metadata }) => !lost.has(metadata.uid));
      const contents = new Map(live.map((provider) => [keyOf(provider), canonical(contentOf(provider))]));
      missing = [...expected].filter(([key, provider]) => contents.get(key) !== canonical(contentOf(provider))).map(([key]) => key);
      return missing.length === 0;
    },
    { within: 20_000, what: "the classes' return" },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}; not back: ${missing.join(", ")}\n${worker.log().slice(-3_000)}`);
  });
  return ((performance.now() - started) / 1_000).toFixed(1);
}

/** Returns the uids of all classes, to tell them apart from the restored classes. */
async function currentUids(): Promise<ReadonlySet<string | undefined>> {
  return new Set((await allClasses(world.plane)).map(({ metadata }) => metadata.uid));
}

/** Deletes the CRD and waits. Resolves with the duration in seconds. */
async function deleteCrdAndWait(): Promise<string> {
  const lost = await currentUids();
  const started = performance.now();
  await kubectl(["delete", "crd", CLASS_CRD, "--wait=false"]);
  return classesAreBack(started, { lost });
}

/**
 * Waits until the worker has processed all earlier events. The worker sees a new class through the same watch, after everything else. The
 * deletion of this class shows that the worker acts on deletions again. If it were going to delete anything by mistake, it would have done
 * so by then.
 */
async function workerIsQuiet(): Promise<void> {
  const [namespace = ""] = namespaces;
  const name = `barrier-${++barriers}`;
  await createClass(world.plane, classOf(world, { namespace, name, objects: ["object-a"], secretObjects: [opaque(name, "object-a")] }));
  await eventually(() => dataOf(world.plane, namespace, name), { what: "the barrier's Secret" });
  await send(world.plane, { method: "DELETE", path: classPath(namespace, name) });
  await eventually(async () => (await dataOf(world.plane, namespace, name)) === undefined, { what: "the end of the barrier's Secret" });
  await eventually(async () => /queue_depth\S* 0$/m.test(await worker.metrics()), { what: "an empty queue" });
  await eventually(snapshotsAreCurrent, { what: "snapshots of the classes as they are" });
}

/**
 * Whether all snapshots name the current CRD. If a class is deleted together with its CRD before its snapshot names that CRD, the worker
 * thinks that the owner deleted the class.
 */
async function snapshotsAreCurrent(): Promise<boolean> {
  const [crd, live, snapshots] = await Promise.all([classCrd(), allClasses(world.plane), revisions()]);
  const known = new Set(snapshots.map(({ data }) => `${data.crdUid} ${data.uid}`));
  return live.length === classes.size && live.every(({ metadata }) => known.has(`${crd?.metadata.uid} ${metadata.uid}`));
}

function revisions(): Promise<readonly Revision[]> {
  return listAll(world.plane, `/apis/apps/v1/controllerrevisions?labelSelector=${SNAPSHOT_LABEL}=true`);
}

async function vaultRequests(): Promise<number> {
  return (await world.emulator.requests()).length;
}

function annotate({ metadata }: KubeObject, value: string): Promise<unknown> {
  const patch = { metadata: { annotations: { touched: value } } };
  return mergePatch(world.plane, classPath(metadata.namespace ?? "", metadata.name), patch);
}

describe("healing", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    const collector = collectorWatchesClasses();
    await world.emulator.setSecret({ vault: world.vault, name: "object-a", value: "value of a" });
    namespaces = await Promise.all(Array.from({ length: NAMESPACES }, () => world.namespace()));
    const made = namespaces.flatMap((namespace) => Array.from({ length: PER_NAMESPACE }, (_, index) => manifestOf(namespace, index)));
    await kubectl(["apply", "-f", "-"], listOf(made.filter(isClientSide)));
    await kubectl(
      ["apply", "--server-side", "--field-manager=flux", "-f", "-"],
      listOf(made.filter((provider) => !isClientSide(provider))),
    );
    worker = await world.product.start("sync", SYNC);
    await eventually(async () => (await mirroredSecrets(world.plane)).length === COUNT, { within: 60_000, what: "100 mirrored Secrets" });
    await eventually(async () => (await allStatuses(world.plane)).every(({ status }) => status?.syncedSecrets === 1), {
      what: "100 statuses",
    });
    // The worker restores an edited class at generation 1, and its status describes a later generation.
    await Promise.all(namespaces.map((namespace) => edit(namespace)));
    // A user adds a label to a class that an installer applied.
    await label(namespaces[4] ?? "", "class-2");
    await eventually(
      async () => (await allStatuses(world.plane)).filter(({ status }) => status?.observedClassGeneration === 2).length === NAMESPACES,
      {
        what: "the edits' statuses",
      },
    );
    await collector;
    classes = new Map((await allClasses(world.plane)).map((provider) => [keyOf(provider), provider]));
    secrets = await secretVersions();
    assert.equal(classes.size, COUNT);
    assert.equal(secrets.size, COUNT);
  });
  after(async () => {
    await world?.stop();
  });

  test("brings 100 classes back after their CRD was deleted, and changes none of their 100 Secrets", async () => {
    await eventually(snapshotsAreCurrent);
    const asked = await vaultRequests();
    const owner = [...classes.values()][0];
    const collected = "owned-by-a-class";
    await createOwned(owner, collected);

    const seconds = await deleteCrdAndWait();
    await workerIsQuiet();

    const changed = changedIn(await secretVersions());
    console.log(`healing: ${COUNT}/${COUNT} classes back in ${seconds} s, ${changed.length} Secrets changed`);
    assert.deepEqual(changed, []);
    // The control: the garbage collector runs, and deletes an object that a class owns.
    await eventually(async () => (await find(world.plane, secretPath(namespaces[0] ?? "", collected))) === undefined, {
      within: 40_000,
      what: "the collection of a Secret that a class owns",
    });
    // At most five edited classes, the barrier's, and a token for each: no other class needed a query.
    const requests = (await vaultRequests()) - asked;
    console.log(`healing: ${requests} vault requests during it`);
    assert.ok(requests < 20, `${requests} vault requests`);
  });

  test("brings the classes back when it was not running while they were lost, but none from a snapshot that somebody else wrote", async () => {
    await worker.stop();
    const [namespace = ""] = namespaces;
    const [edited, lonely] = [`${namespace}/class-1`, "ghost"];
    const forged = await forgeSnapshots(namespace, { edited: "class-1", invented: lonely });
    await kubectl(["delete", "crd", CLASS_CRD]);

    const started = performance.now();
    worker = await world.product.start("sync", SYNC);
    const seconds = await classesAreBack(started, { expected: new Map([...classes].filter(([key]) => key !== edited)) });
    await eventually(() => worker.log().includes("no snapshot shows whether the deletion was intentional"), {
      what: "the word about the class without a snapshot",
    });
    console.log(`healing: ${COUNT - 1}/${COUNT - 1} classes with a snapshot of ours back ${seconds} s after the worker's start`);
    const names = (await allClasses(world.plane)).map(keyOf);
    assert.ok(!names.includes(edited), "a class was made from an edited snapshot");
    assert.ok(!names.includes(`${namespace}/${lonely}`), "a class was made from an invented snapshot");
    assert.match(worker.log(), /a class snapshot was not written by this install and is ignored/);
    await assertSecretsUntouched();

    const again = classes.get(edited);
    assert.ok(again !== undefined);
    await kubectl(["apply", "-f", "-"], again.metadata.annotations?.["kubectl.kubernetes.io/last-applied-configuration"]);
    await classesAreBack(performance.now());
    await workerIsQuiet();
    await assertSecretsUntouched();
    await Promise.all(forged.map((name) => send(world.plane, { method: "DELETE", path: revisionPath(namespace, name) })));
  });

  test("brings the classes back when somebody else re-creates the CRD at once", async () => {
    const before = (await classCrd())?.metadata.uid;
    const lost = await currentUids();

    const started = performance.now();
    await kubectl(["delete", "crd", CLASS_CRD, "--wait=false"]);
    // An apply to the CRD that is being deleted succeeds and is then lost. An apply that conflicts with the worker's fails.
    await eventually(
      async () => {
        await kubectl(["apply", "-k", path.join(MANIFESTS, "crds")]);
        const uid = (await classCrd())?.metadata.uid;
        return uid !== undefined && uid !== before;
      },
      { every: 1 },
    );
    const seconds = await classesAreBack(started, { lost });
    await workerIsQuiet();

    console.log(`healing: ${COUNT}/${COUNT} classes back in ${seconds} s beside somebody who re-created the CRD`);
    await assertSecretsUntouched();
  });

  test("mends a CRD whose schema was cut while it runs, and what was written to classes meanwhile", async () => {
    const some = [...classes.values()].filter((_, index) => index % 10 === 0);

    await cutSchema();
    await Promise.all(some.map((provider) => annotate(provider, "while it ran")));
    await schemaIsBack();
    noteAnnotations(some, "while it ran");
    await classesAreBack(performance.now());
    await workerIsQuiet();

    await assertSecretsUntouched();
  });

  test("completes classes that lost fields for good under a cut schema while it was not running", async () => {
    await worker.stop();
    const some = [...classes.values()].filter((_, index) => index % 5 === 0);
    await cutSchema();
    await eventually(async () => (await allClasses(world.plane)).every(({ spec }) => spec?.secretObjects === undefined), {
      what: "classes served without secretObjects",
    });
    await Promise.all(some.map((provider) => annotate(provider, "while it was away")));
    // The control: the loss is permanent, and the generation is the same.
    const cut = await find<SecretProviderClass>(world.plane, classPath(namespaces[0] ?? "", "class-5"));
    assert.equal(cut?.metadata.generation, 1);

    const started = performance.now();
    worker = await world.product.start("sync", SYNC);
    await schemaIsBack();
    noteAnnotations(some, "while it was away");
    const seconds = await classesAreBack(started);
    await workerIsQuiet();

    const repaired = /classes_repaired_total\S* (\d+)/.exec(await worker.metrics())?.[1];
    console.log(`healing: schema whole and ${repaired} of ${some.length} cut classes completed ${seconds} s after the worker's start`);
    assert.equal(Number(repaired), some.length);
    await assertSecretsUntouched();
  });

  test("serves a version again that was switched off", async () => {
    await patchCrd([{ op: "replace", path: "/spec/versions/0/served", value: false }]);

    await eventually(async () => (await classCrd())?.spec.versions[0]?.served === true, { what: "version v1" });
    await classesAreBack(performance.now());
    await workerIsQuiet();

    await assertSecretsUntouched();
  });

  test("brings its own status kind back with every status, and asks no vault for it", async () => {
    const before = await allStatuses(world.plane);
    assert.equal(before.length, COUNT);
    const lost = new Set(before.map(({ metadata }) => metadata.uid));
    const asked = await vaultRequests();

    await kubectl(["delete", "crd", STATUS_CRD, "--wait=false"]);
    const after = await eventually(
      async () => {
        const all = await allStatuses(world.plane);
        return all.length === COUNT && all.every(({ metadata, status }) => status !== undefined && !lost.has(metadata.uid)) && all;
      },
      { what: "100 statuses" },
    );

    const reported = (all: typeof before): ReadonlyMap<string, unknown> => new Map(all.map((object) => [keyOf(object), object.status]));
    assert.deepEqual(reported(after), reported(before));
    assert.equal((await vaultRequests()) - asked, 0);
    await workerIsQuiet();
    await assertSecretsUntouched();
  });

  test("makes the API server finish the deletion of a CRD that it has lost track of", async () => {
    const statusCrd = (): Promise<CustomResourceDefinition | undefined> => find(world.plane, `${CRDS}/${STATUS_CRD}`);
    const { uid: lost, resourceVersion: before } = (await statusCrd())?.metadata ?? {};
    const held = "example.com/held";
    await kubectl([
      "patch",
      "crd",
      STATUS_CRD,
      "--type=json",
      "-p",
      JSON.stringify([{ op: "add", path: "/metadata/finalizers", value: [held] }]),
    ]);
    await kubectl(["delete", "crd", STATUS_CRD, "--wait=false"]);
    await eventually(async () => (await statusCrd())?.metadata.finalizers?.join() === held, {
      what: "the API server's own part of the deletion",
    });

    const failed = { type: "Terminating", status: "True", reason: "InstanceDeletionFailed", message: "could not list instances" };
    const patch = JSON.stringify([{ op: "replace", path: "/status/conditions", value: [failed] }]);
    await kubectl(["patch", "crd", STATUS_CRD, "--subresource=status", "--type=json", "-p", patch]);

    const retried = async (): Promise<string | undefined> => (await statusCrd())?.metadata.annotations?.[CRD_ANNOTATIONS.deletionRetried];
    const first = await eventually(retried, { what: "another try" });
    const second = await eventually(async () => (await retried()) !== first && retried(), { what: "one more" });
    assert.ok(Date.parse(second) - Date.parse(first) >= 1_000, `tried at ${first} and ${second}`);
    // The API server fails to delete a CRD that it has only just created by itself, too.
    const states = await statesSince(STATUS_CRD, before);
    const firstTried = states.findIndex(({ metadata }) => metadata.annotations?.[CRD_ANNOTATIONS.deletionRetried] !== undefined);
    const firstFailed = states.findIndex(({ status }) =>
      status?.conditions?.some(({ reason = "" }) => ["InstanceDeletionFailed", "InstanceDeletionCheck"].includes(reason)),
    );
    assert.ok(firstFailed >= 0 && firstFailed < firstTried, `failed in state ${firstFailed}, tried in state ${firstTried}`);
    await kubectl(["patch", "crd", STATUS_CRD, "--type=json", "-p", JSON.stringify([{ op: "remove", path: "/metadata/finalizers" }])]);
    await eventually(
      async () => {
        const again = await statusCrd();
        return again !== undefined && again.metadata.uid !== lost && (await allStatuses(world.plane)).length === COUNT;
      },
      { what: "100 statuses" },
    );
    await workerIsQuiet();
    await assertSecretsUntouched();
  });

  test("knows a snapshot that has lost its label by its name, and makes no second one", async () => {
    const [revision] = await revisions();
    assert.ok(revision);
    const { namespace = "", name, uid } = revision.metadata;
    const label = (value: string): Promise<string> =>
      kubectl(["label", "controllerrevision", name, "-n", namespace, `${SNAPSHOT_LABEL}${value}`, "--overwrite"]);
    const checks = (): number =>
      world.plane.audit().filter(({ user, verb, name: asked }) => user === SYNC_USER && verb === "get" && asked === name).length;
    const before = checks();

    await label("-");
    await eventually(() => checks() > before, { what: "a look at the snapshot that is there" });
    await label("=true");

    await eventually(async () => (await revisions()).find(({ metadata }) => metadata.name === name)?.metadata.uid === uid, {
      what: "the same snapshot",
    });
    await workerIsQuiet();
    // The snapshot of the barrier disappears a moment after its Secret. A second snapshot of a class would stay.
    await eventually(async () => (await revisions()).length === COUNT, { what: `${COUNT} snapshots` });
  });

  test("leaves a class that its owner deleted deleted, and removes its Secret", async () => {
    const [, namespace = ""] = namespaces;

    await kubectl(["delete", "secretproviderclass", "-n", namespace, "class-18"]);

    await isGoneForGood(namespace, "class-18");
  });

  test("removes the Secret of a class that its owner deleted while it was not running", async () => {
    const [, namespace = ""] = namespaces;
    await worker.stop();
    await kubectl(["delete", "secretproviderclass", "-n", namespace, "class-19"]);

    worker = await world.product.start("sync", SYNC);

    await isGoneForGood(namespace, "class-19");
    await deleteCrdAndWait();
    await workerIsQuiet();
    await assertSecretsUntouched();
  });

  test("hands restored classes and CRDs back to who wrote them: their next apply meets no conflict and changes nothing", async () => {
    const manifests = [...classes.values()].map(({ metadata }) =>
      manifestOf(metadata.namespace ?? "", Number(metadata.name.slice("class-".length))),
    );
    const [client, server] = [manifests.filter(isClientSide), manifests.filter((provider) => !isClientSide(provider))];
    // Their generation 2 comes from an edit that the manifests do not contain.
    const unedited = (all: readonly SecretProviderClass[]): string => listOf(all.filter(({ metadata }) => metadata.name !== "class-0"));
    const versions = new Map((await allClasses(world.plane)).map((provider) => [keyOf(provider), provider.metadata.resourceVersion]));

    await kubectl(["apply", "-f", "-"], unedited(client));
    await kubectl(["apply", "--server-side", "--field-manager=flux", "-f", "-"], unedited(server));
    const live = await allClasses(world.plane);
    const written = live.filter((provider) => versions.get(keyOf(provider)) !== provider.metadata.resourceVersion).map(keyOf);
    assert.deepEqual(written, []);
    const labelled = live.find((provider) => keyOf(provider) === `${namespaces[4]}/class-2`);
    assert.equal(labelled?.metadata.labels?.["person"], "was-here");

    // Change from client-side to server-side apply, which takes the fields over from the client-side manager.
    await kubectl(["apply", "--server-side", "-f", "-"], unedited(client));
    await kubectl(["apply", "--server-side", "-k", path.join(MANIFESTS, "crds")]);
    await workerIsQuiet();
    await assertSecretsUntouched();
  });

  test("was never refused a request", () => {
    assertNothingForbidden("healing", world.plane);
  });
});

function isClientSide({ metadata }: KubeObject): boolean {
  return metadata.namespace !== namespaces[3] && metadata.namespace !== namespaces[4];
}

function manifestOf(namespace: string, index: number): SecretProviderClass {
  const name = `class-${index}`;
  return classOf(world, {
    namespace,
    name,
    objects: ["object-a"],
    secretObjects: [{ ...opaque(`secret-${index}`, "object-a"), labels: { app: name } }],
    labels: { team: namespace },
    annotations: { note: name, [CLASS_ANNOTATIONS.refresh]: "1" },
  });
}

async function edit(namespace: string): Promise<void> {
  const patch = { spec: { parameters: { useVMManagedIdentity: "false" } } };
  await mergePatch(world.plane, classPath(namespace, "class-0"), patch);
}

async function label(namespace: string, name: string): Promise<void> {
  const body = { metadata: { labels: { person: "was-here" } } };
  await mergePatch(world.plane, classPath(namespace, name), body);
}

/**
 * Waits for the garbage collector. It discovers new kinds every 30 seconds, and collects no dependents of an owner whose kind it does not
 * know.
 */
async function collectorWatchesClasses(): Promise<void> {
  const namespace = await world.namespace();
  await createClass(world.plane, classOf(world, { namespace, name: "probe", objects: [], secretObjects: [] }));
  await createOwned(await find(world.plane, classPath(namespace, "probe")), "probe");
  await send(world.plane, { method: "DELETE", path: classPath(namespace, "probe") });
  await eventually(async () => (await find(world.plane, secretPath(namespace, "probe"))) === undefined, {
    within: 60_000,
    what: "the garbage collector's knowledge of classes",
  });
}

async function createOwned(owner: SecretProviderClass | undefined, name: string): Promise<void> {
  assert.ok(owner !== undefined);
  const { apiVersion, kind, metadata } = owner;
  const ownerReferences = [{ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "" }];
  const secret: Secret = { apiVersion: "v1", kind: "Secret", metadata: { name, ownerReferences } };
  await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${metadata.namespace}/secrets`, body: secret });
}

async function patchCrd(operations: readonly unknown[]): Promise<void> {
  await send(world.plane, { method: "PATCH", path: `${CRDS}/${CLASS_CRD}`, body: operations, contentType: JSON_PATCH });
}

function cutSchema(): Promise<void> {
  return patchCrd([{ op: "remove", path: "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/secretObjects" }]);
}

async function schemaIsBack(): Promise<void> {
  await eventually(
    async () => {
      const crd = await classCrd();
      return crd?.spec.versions[0]?.schema?.openAPIV3Schema?.properties?.["spec"]?.properties?.["secretObjects"] !== undefined;
    },
    { what: "the whole schema" },
  );
}

/** Adds this annotation to the expected classes. */
function noteAnnotations(some: readonly SecretProviderClass[], touched: string): void {
  const annotated = some.map((provider) => {
    const { metadata } = provider;
    return { ...provider, metadata: { ...metadata, annotations: { ...metadata.annotations, touched } } };
  });
  classes = new Map([...classes, ...annotated.map((provider): [string, SecretProviderClass] => [keyOf(provider), provider])]);
}

/** Replaces one snapshot with other content under the same fingerprint, and adds one of a class that never existed. Returns their names. */
async function forgeSnapshots(
  namespace: string,
  { edited, invented }: { readonly edited: string; readonly invented: string },
): Promise<readonly string[]> {
  const genuine = (await revisions()).find(({ data }) => data.namespace === namespace && data.name === edited);
  assert.ok(genuine !== undefined);
  const { apiVersion, kind, data, revision, metadata } = genuine;
  const where = revisionPath(namespace);
  const { labels = {}, annotations = {} } = metadata;
  const evil = { ...data, spec: { ...data.spec, parameters: { ...data.spec.parameters, keyvaultName: "another-vault" } } };
  await send(world.plane, { method: "DELETE", path: revisionPath(namespace, metadata.name) });
  await send(world.plane, {
    method: "POST",
    path: where,
    body: {
      apiVersion,
      kind,
      revision,
      data: evil,
      metadata: { name: metadata.name, labels, annotations },
    },
  });
  await send(world.plane, {
    method: "POST",
    path: where,
    body: {
      apiVersion,
      kind,
      revision,
      data: { ...data, name: invented, crdUid: "another" },
      metadata: {
        name: "forged",
        labels,
        annotations: { [SNAPSHOT_ANNOTATIONS.class]: invented, [SNAPSHOT_ANNOTATIONS.content]: `v1:${"0".repeat(64)}` },
      },
    },
  });
  return [metadata.name, "forged"];
}

function revisionPath(namespace: string, name?: string): string {
  return ["/apis/apps/v1/namespaces", namespace, "controllerrevisions", ...(name === undefined ? [] : [name])].join("/");
}

async function isGoneForGood(namespace: string, name: string): Promise<void> {
  const secret = `secret-${name.slice("class-".length)}`;
  const key = `${namespace}/${name}`;
  await eventually(async () => (await dataOf(world.plane, namespace, secret)) === undefined, { what: "the end of the Secret" });
  await eventually(async () => !(await revisions()).some(({ data }) => `${data.namespace}/${data.name}` === key), {
    what: "the end of the snapshot",
  });
  await eventually(async () => !(await allStatuses(world.plane)).some((status) => keyOf(status) === key), {
    what: "the end of the status",
  });
  classes = new Map([...classes].filter(([candidate]) => candidate !== key));
  secrets = new Map([...secrets].filter(([candidate]) => candidate !== `${namespace}/${secret}`));
  await workerIsQuiet();
  assert.equal(await find(world.plane, classPath(namespace, name)), undefined);
  await assertSecretsUntouched();
}
