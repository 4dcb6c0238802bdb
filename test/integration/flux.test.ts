import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { CustomResourceDefinition } from "../../src/domain/healing/crd.ts";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import { VERSION } from "../../tools/repository-files.ts";
import { runOffline, runOnline } from "../support/cli/cli.ts";
import { apiRequest } from "../support/cluster/api-request.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { type Flux, fluxRefusal, startFlux } from "../support/cluster/flux.ts";
import {
  changesIn,
  installByFlux,
  installedVersions,
  KUSTOMIZATIONS,
  PRODUCT,
  productPath,
  repositoryWith,
  restWrites,
  roundsOf,
  TEAM,
  teamKustomization,
} from "../support/cluster/flux-install.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  allClasses,
  CLASS_CRD,
  classOf,
  createClass,
  dataOf,
  find,
  listAll,
  mirroredSecrets,
  opaque,
  type SyncWorld,
  send,
  startSyncWorld,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal() ?? fluxRefusal();
const CRD_PATH = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${CLASS_CRD}`;
/** Minutes at rest. `npm run test:at-rest -- 10` changes them. */
const REST_MINUTES = Number(process.env["KEYVAULT_INJECTOR_REST_MINUTES"] ?? 0.5);

let world: SyncWorld;
let flux: Flux;
let worker: ProductProcess;
let namespace: string;

const kubectl = (...args: readonly string[]): Promise<string> => world.plane.kubectl(args);

async function reconciled(name: string): Promise<void> {
  const { status, message } = await flux.reconcile(name);
  assert.equal(status, "True", message);
}

/** Creates an opted-in pod with an existing class. Resolves with the HTTP status and the body of the answer. */
async function createPod(name: string): Promise<{ readonly status: number; readonly said: string }> {
  const pod = aPod({ ...OPTED_IN, "secret-provider-class": "shop" });
  const body = { ...pod, metadata: { ...Object(pod["metadata"]), name } };
  const answer = await apiRequest(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/pods`, body });
  return { status: answer.status, said: JSON.stringify(answer.body) };
}

describe("an install by Flux", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld({
      apply: async (plane, admissionPort) => {
        flux = await startFlux(plane);
        await installByFlux(plane, flux, admissionPort);
      },
    });
    // Generous limits: another suite measures the start time.
    worker = await world.product.start("sync", { within: 120_000 });
    await world.product.start("webhook", { within: 120_000 });
    namespace = await world.namespace();
    const object = await world.object("value-1");
    await createClass(world.plane, classOf(world, { namespace, name: "shop", objects: [object], secretObjects: [opaque("shop", object)] }));
  });
  after(async () => {
    await flux?.stop();
    await world?.stop();
  });

  test("works from one source: definitions first, product, driver and provider", async () => {
    assert.deepEqual(await eventually(() => dataOf(world.plane, namespace, "shop"), { what: "the mirrored Secret" }), { value: "value-1" });
    await eventually(async () => (await createPod("first")).status === 201, { what: "an injected pod" });
    const pod = await find<KubeObject & { readonly spec: { readonly volumes: readonly { readonly csi?: unknown }[] } }>(
      world.plane,
      `/api/v1/namespaces/${namespace}/pods/first`,
    );
    assert.ok(pod?.spec.volumes.some(({ csi }) => csi !== undefined));
    const images = await kubectl("get", "deployments", "-n", PRODUCT, "-o", "jsonpath={.items[*].spec.template.spec.containers[*].image}");
    assert.deepEqual([...new Set(images.split(" "))], [`registry.example.com/platform/keyvault-injector:${VERSION}`]);
  });

  test("is left alone by the next round of the same commit, and by every round after it", async () => {
    const before = await installedVersions(world.plane);
    for (const name of KUSTOMIZATIONS) await reconciled(name);
    assert.deepEqual(changesIn(before, await installedVersions(world.plane)), []);
    assert.ok(before.size > 50, `${before.size} objects`);
  });

  test("has what somebody edited, or deleted, put back", async () => {
    const role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/keyvault-injector-sync";
    const whole = await find<KubeObject & { readonly rules: readonly unknown[] }>(world.plane, role);
    await kubectl("patch", "clusterrole", "keyvault-injector-sync", "--type=json", '-p=[{"op":"remove","path":"/rules/0"}]');
    await kubectl("delete", "poddisruptionbudget", "keyvault-injector-sync", "-n", PRODUCT);

    await reconciled(PRODUCT);
    assert.deepEqual((await find<KubeObject & { readonly rules: readonly unknown[] }>(world.plane, role))?.rules, whole?.rules);
    await kubectl("get", "poddisruptionbudget", "keyvault-injector-sync", "-n", PRODUCT);
  });

  test("has a deleted definition back by the worker, with its classes, and Flux finds nothing to do with it", async () => {
    const lost = (await find<CustomResourceDefinition>(world.plane, CRD_PATH))?.metadata.uid;
    await kubectl("delete", "crd", CLASS_CRD);
    await eventually(async () => (await allClasses(world.plane)).some(({ metadata }) => metadata.name === "shop"), {
      what: "the class's return",
    });
    const healed = await find<CustomResourceDefinition>(world.plane, CRD_PATH);
    assert.notEqual(healed?.metadata.uid, lost);

    const { status, message } = await flux.reconcile("keyvault-injector-crds");
    assert.equal(status, "True", message);
    await reconciled("keyvault-injector-crds");
    const after = await find<CustomResourceDefinition>(world.plane, CRD_PATH);
    assert.deepEqual([after?.metadata.uid, after?.metadata.generation], [healed?.metadata.uid, healed?.metadata.generation]);
    const settled = after?.metadata.resourceVersion;
    await reconciled("keyvault-injector-crds");
    assert.equal((await find<CustomResourceDefinition>(world.plane, CRD_PATH))?.metadata.resourceVersion, settled);
  });

  test("refuses the document's class from Git for its empty cloudName, which render names with its line", async (context) => {
    const document = repositoryWith().get("manifests/examples/secretproviderclass.yaml") ?? "";
    const filled = document.replace("<key-vault-name>", world.vault).replace("<tenant-Id>", world.tenantId);
    await world.plane.kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify(teamKustomization(namespace)));

    await flux.publish(repositoryWith({ [`${TEAM}/class.yaml`]: filled }));
    const refused = await flux.reconcile("team");
    assert.equal(refused.status, "False");
    context.diagnostic(refused.message);
    assert.match(
      refused.message,
      /SecretProviderClass\/team-1\/akvprovider-demo .*spec\.parameters\.cloudName.*must be of type string: "null"/s,
    );
    const rendered = await runOffline(["render", "--offline", "--fail-on-warnings", "-f", "-"], filled);
    assert.equal(rendered.code, 1);
    assert.match(rendered.notes.join("\n"), /:12: SecretProviderClass\/akvprovider-demo: warning: spec\.parameters\.cloudName is null/);
    const { output } = await runOnline(["doctor", "-o", "json"], world.plane.kubeconfigPath);
    assert.ok(!output.includes("akvprovider-demo"), "doctor looks at what is stored");

    await flux.publish(repositoryWith({ [`${TEAM}/class.yaml`]: filled.replace(/cloudName: +#.*/, 'cloudName: ""') }));
    await reconciled("team");
    assert.ok((await allClasses(world.plane)).some(({ metadata }) => metadata.name === "akvprovider-demo"));
  });

  // The runner's own limit for a test is ten minutes.
  const timeout = REST_MINUTES * 60_000 + 300_000;
  test("at rest sees no write to an installed object, a class or a Secret, by Flux or by us", { timeout }, async (context) => {
    await eventually(async () => (await mirroredSecrets(world.plane)).length > 0 && /queue_depth\S* 0$/m.test(await worker.metrics()));
    for (const name of KUSTOMIZATIONS) await reconciled(name);
    const [before, from] = [await installedVersions(world.plane), world.plane.audit().length];
    const rounds = await roundsOf(world.plane);
    const end = performance.now() + REST_MINUTES * 60_000;
    await eventually(async () => performance.now() > end && (await roundsOf(world.plane)) >= rounds + 2 * KUSTOMIZATIONS.length, {
      within: REST_MINUTES * 60_000 + 120_000,
      every: 500,
      what: "the end of the rest, with two rounds of each Kustomization",
    });

    const seen = world.plane.audit().slice(from);
    assert.deepEqual(restWrites(seen), []);
    assert.deepEqual(changesIn(before, await installedVersions(world.plane)), []);
    const did = (await roundsOf(world.plane)) - rounds;
    context.diagnostic(
      `at rest for ${REST_MINUTES} min: 0 writes by Flux or us to ${before.size} objects, in ${did} rounds of Flux and ${seen.length} requests`,
    );

    // The control: an edit of a component, which the worker undoes, and of a role, which Flux undoes. Each is a write and a change.
    await kubectl(
      "patch",
      "service",
      "keyvault-injector-webhook",
      "-n",
      PRODUCT,
      "--type=merge",
      '-p={"spec":{"externalName":"127.0.0.2"}}',
    );
    await kubectl("label", "clusterrole", "keyvault-injector-sync", "--overwrite", "app.kubernetes.io/component=other");
    await reconciled(PRODUCT);
    await eventually(
      () => {
        const writes = restWrites(world.plane.audit().slice(from + seen.length)).join("\n");
        return (
          /patch services keyvault-injector-webhook/.test(writes) &&
          /kustomize-controller patch \S+clusterroles keyvault-injector-sync/.test(writes)
        );
      },
      { what: "both repairs in the audit log" },
    );
    assert.ok(changesIn(before, await installedVersions(world.plane)).length >= 2);
  });

  test("is removed with its Kustomizations in order: the CRDs, the classes and the Secrets stay, and no pod is refused", async () => {
    await kubectl(
      "patch",
      "kustomization",
      PRODUCT,
      "-n",
      "flux-system",
      "--type=merge",
      `-p={"spec":{"path":"./${productPath("gitops/removal")}"}}`,
    );
    await reconciled(PRODUCT);
    await assert.rejects(kubectl("get", "validatingadmissionpolicybinding", "keyvault-injector-pod-volume"), /NotFound/);
    // In a cluster, the changed Deployment would restart the worker with these arguments.
    await worker.stop();
    worker = await world.product.start("sync", { args: ["--heal="], within: 120_000 });
    const kept = await mirroredSecrets(world.plane);

    const refused: string[] = [];
    let pods = 0;
    const removal = kubectl(
      "delete",
      "kustomization",
      PRODUCT,
      "keyvault-injector-azure-provider",
      "keyvault-injector-csi-driver",
      "-n",
      "flux-system",
    ).then(() => kubectl("delete", "kustomization", "keyvault-injector-crds", "-n", "flux-system"));
    const progress = { isDone: false };
    void removal.finally(() => (progress.isDone = true));
    while (!progress.isDone) {
      const { status, said } = await createPod(`during-${++pods}`);
      if (status !== 201) refused.push(said);
    }
    await removal;

    assert.deepEqual(refused, []);
    assert.ok(pods > 5, `${pods} pods`);
    await assert.rejects(kubectl("get", "clusterrole", "keyvault-injector-sync"), /NotFound/);
    assert.ok(await find(world.plane, CRD_PATH));
    assert.ok((await allClasses(world.plane)).length >= 2);
    const now = await listAll(world.plane, "/api/v1/secrets?labelSelector=keyvault-injector.dev/managed=true");
    assert.deepEqual(
      now.map(({ metadata }) => metadata.uid),
      kept.map(({ metadata }) => metadata.uid),
    );
    assert.equal((await createPod("after")).status, 201);
    await send(world.plane, { method: "DELETE", path: `/api/v1/namespaces/${namespace}` });
  });
});
