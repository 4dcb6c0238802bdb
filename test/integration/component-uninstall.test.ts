import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { componentsOf } from "../../src/domain/healing/components.ts";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import { runCli } from "../support/cli/cli.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { type KubeAccess, kubeAccess } from "../support/cluster/kube-access.ts";
import { onOneMachine } from "../support/cluster/one-machine.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { folderManifests, MANIFESTS, type Manifest } from "../support/cluster/shipped-manifests.ts";
import { presentComponents } from "../support/component-damage/cluster.ts";
import { eventually } from "../support/time/eventually.ts";
import { classOf, createClass, dataOf, find, listAll, opaque, type SyncWorld, startSyncWorld } from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const OWN = "keyvault-injector";
const WORKER = `/apis/apps/v1/namespaces/${OWN}/deployments/keyvault-injector-sync`;
const SERVICE = `/api/v1/namespaces/${OWN}/services/keyvault-injector-webhook`;
const FINAL_CHECK = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/keyvault-injector-pod-volume";
const COPIES = `/apis/apps/v1/namespaces/${OWN}/controllerrevisions?labelSelector=keyvault-injector.dev%2Fsnapshot%3Dcomponent`;
/** Longer than the worker waits before it undoes a deletion. */
const SETTLED_MS = 13_000;

let world: SyncWorld;
let access: KubeAccess;
let worker: ProductProcess;
let installed: readonly Manifest[];
let namespace = "";

const kubectl = (args: readonly string[], input?: string): Promise<string> => world.plane.kubectl(args, input);
const listOf = (items: readonly object[]): string => JSON.stringify({ apiVersion: "v1", kind: "List", items });
const live = (where: string): Promise<KubeObject | undefined> => find(world.plane, where);
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Installs the manifests the way the first `kubectl apply` did. */
async function install(): Promise<void> {
  const isThere = async (): Promise<boolean> => (await live(`/api/v1/namespaces/${OWN}`)) === undefined;
  if ((await live(`/api/v1/namespaces/${OWN}`))?.metadata.deletionTimestamp !== undefined) await eventually(isThere, { within: 60_000 });
  await kubectl(["apply", "-f", "-"], listOf(installed));
}

async function startWorker(): Promise<void> {
  worker = await world.product.start("sync");
  await eventually(async () => (await listAll(world.plane, COPIES)).length > 30, { within: 40_000, what: "copies of the components" });
}

/** Returns the components that still exist, without the Namespace. */
async function componentsThere(): Promise<readonly string[]> {
  const components = componentsOf(OWN).filter(({ resource }) => resource.kind !== "Namespace");
  return (await presentComponents(access.client, components)).map(({ id }) => id);
}

const KINDS_FIRST: Readonly<Record<string, readonly string[]>> = {
  // Helm's order, without its hooks: https://github.com/helm/helm/blob/v4.0.0/pkg/release/v1/util/kind_sorter.go.
  "helm uninstall": ["Service", "Deployment", "RoleBinding", "Role", "ClusterRoleBinding", "ClusterRole", "ServiceAccount"],
  // Flux prunes in the reverse of the order in which it applies, the Namespace last.
  "pruning from Git": ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "Deployment", "Service"],
};

/** Deletes the objects one by one, in the background, and the Namespace last. */
async function removeInOrder(first: readonly string[], withNamespace: boolean): Promise<void> {
  const rank = ({ kind }: Manifest): number => {
    if (kind === "Namespace") return 1_000;
    return first.includes(kind) ? first.indexOf(kind) : 100;
  };
  for (const { apiVersion, kind, metadata } of installed.toSorted((a, b) => rank(a) - rank(b))) {
    if (kind === "Namespace" && !withNamespace) continue;
    await kubectl(["delete", "--wait=false", "--ignore-not-found", "-f", "-"], JSON.stringify({ apiVersion, kind, metadata }));
  }
}

const UNINSTALLS: Readonly<Record<string, () => Promise<unknown>>> = {
  "kubectl delete -k": () => kubectl(["delete", "-k", path.join(MANIFESTS, "overlays/default"), "--wait=false", "--ignore-not-found"]),
  "helm uninstall": () => removeInOrder(KINDS_FIRST["helm uninstall"] ?? [], false),
  "pruning from Git": () => removeInOrder(KINDS_FIRST["pruning from Git"] ?? [], true),
};

describe("an install that goes", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    access = kubeAccess(world.plane.kubeconfigPath);
    installed = onOneMachine(await folderManifests("overlays/default"), 8443);
    await install();
    namespace = await world.namespace();
    const object = await world.object("stays");
    await startWorker();
    await createClass(world.plane, classOf(world, { namespace, name: "kept", objects: [object], secretObjects: [opaque("kept", object)] }));
    await eventually(async () => (await dataOf(world.plane, namespace, "kept")) !== undefined, { what: "the mirrored Secret" });
  });
  after(async () => {
    await access?.config.close();
    await world?.stop();
  });

  test("is not the worker's own Deployment alone: a worker that dies of its deletion applies it again", async () => {
    const before = await live(WORKER);
    await kubectl(["delete", "deployment", "keyvault-injector-sync", "-n", OWN]);
    const started = performance.now();
    await worker.stop(25_000);

    const again = await live(WORKER);
    assert.ok(again !== undefined && again.metadata.uid !== before?.metadata.uid, worker.log().slice(-2_000));
    const version = again.metadata.resourceVersion;
    assert.match(
      await kubectl(["apply", "-f", "-"], listOf(installed.filter(({ kind }) => kind === "Deployment"))),
      /keyvault-injector-sync unchanged/,
    );
    assert.equal((await live(WORKER))?.metadata.resourceVersion, version);
    console.log(`own Deployment: back from a dying worker after ${(performance.now() - started).toFixed(0)} ms`);
    await startWorker();
  });

  test("is reported, and not fought, where the worker's own Deployment is deleted in the foreground", async () => {
    const replicaSets = await listAll(world.plane, `/apis/apps/v1/namespaces/${OWN}/replicasets`);
    const held = replicaSets.filter(({ metadata }) => metadata.ownerReferences?.some(({ name }) => name === "keyvault-injector-sync"));
    const hold = (finalizers: readonly string[] | null): Promise<unknown> =>
      Promise.all(
        held.map(({ metadata }) =>
          kubectl(["patch", "replicaset", metadata.name, "-n", OWN, "--type=merge", "-p", JSON.stringify({ metadata: { finalizers } })]),
        ),
      );
    assert.ok(held.length > 0);
    await hold(["test.example/hold"]);
    await kubectl(["delete", "deployment", "keyvault-injector-sync", "-n", OWN, "--cascade=foreground", "--wait=false"]);

    await eventually(() => worker.log().includes("being deleted, held by foregroundDeletion"), { within: 10_000, what: "the report" });
    assert.notEqual((await live(WORKER))?.metadata.deletionTimestamp, undefined);
    const managers = (await live(WORKER))?.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`);
    assert.ok(!managers?.includes("kubectl-client-side-apply Apply"), "it was applied onto");

    // Without its pods, the deletion finishes like any other. In this test the worker lives on.
    await hold(null);
    await eventually(
      async () => {
        const now = await live(WORKER);
        return now !== undefined && now.metadata.deletionTimestamp === undefined;
      },
      { within: 25_000, what: "the Deployment" },
    );
  });

  test("is prepared by the command: nothing comes back, no policy refuses pods, and it can be taken back", async () => {
    const cli = (flag: string) => runCli(["uninstall", flag], { kubeconfig: world.plane.kubeconfigPath });
    const binding = await live(FINAL_CHECK);

    for (const run of [1, 2]) {
      const { code, stdout, stderr } = await cli("--prepare");
      assert.deepEqual([code, stderr], [0, ""], `run ${run}`);
      assert.match(stdout, /What remains: the CRDs/);
    }
    assert.equal(await live(FINAL_CHECK), undefined);
    await eventually(() => worker.log().includes("healing has stopped"), { what: "the worker's word" });
    await kubectl(["delete", "service", "keyvault-injector-webhook", "-n", OWN]);
    await pause(SETTLED_MS);
    assert.equal(await live(SERVICE), undefined);

    const { code, stdout } = await cli("--undo");
    assert.equal(code, 0);
    assert.match(stdout, /exists again/);
    assert.match(
      await kubectl(["apply", "-f", "-"], listOf(installed.filter(({ metadata }) => metadata.name === binding?.metadata.name))),
      /binding\S* unchanged/,
    );
    await eventually(() => live(SERVICE), { within: 25_000, what: "the Service" });
  });

  for (const [how, remove] of Object.entries(UNINSTALLS)) {
    test(`stays away by ${how}, without a mark: 0 components come back; definitions, classes and Secrets stay`, async () => {
      await remove();
      // A cluster would stop the pods as well. Here the worker is a process beside the cluster.
      const stopped = worker.stop(30_000);
      await eventually(async () => (await componentsThere()).length === 0, {
        within: 60_000,
        every: 250,
        what: "the end of all components",
      }).catch(async () => assert.fail((await componentsThere()).join(", ")));
      await pause(SETTLED_MS);
      await stopped;

      const back = await componentsThere();
      console.log(`${how}: ${back.length} components came back`);
      assert.deepEqual(back, []);
      assert.equal((await listAll(world.plane, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")).length, 3);
      assert.equal(
        (await listAll(world.plane, `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${namespace}/secretproviderclasses`)).length,
        1,
      );
      assert.notEqual(await dataOf(world.plane, namespace, "kept"), undefined);

      await install();
      await startWorker();
    });
  }
});
