import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { NODE_NAMESPACE } from "../../src/domain/healing/components.ts";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { type PodReadiness, startPodReadiness } from "../support/cluster/pod-readiness.ts";
import { at } from "../support/cluster/shipped-manifests.ts";
import { manifestOf, readTarget, type Target } from "../support/component-damage/cluster.ts";
import { type ComponentWorld, installComponents } from "../support/component-damage/component-world.ts";
import { eventually } from "../support/time/eventually.ts";
import { clockShows } from "../support/time/wall-clock.ts";
import { eventsOf, listAll, writesOf } from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const NAMESPACE = "keyvault-injector";

interface Holder {
  readonly account: Target;
  readonly workload: Target;
}

const holder = (namespace: string, resource: Target["resource"], name: string, account = name): Holder => ({
  account: { resource: RESOURCES.serviceAccounts, namespace, name: account },
  workload: { resource, namespace, name },
});
const WEBHOOK = holder(NAMESPACE, WORKLOADS.Deployment, "keyvault-injector-webhook");
const DRIVER = holder(NODE_NAMESPACE, WORKLOADS.DaemonSet, "csi-secrets-store", "secrets-store-csi-driver");
const PROVIDER = holder(NODE_NAMESPACE, WORKLOADS.DaemonSet, "csi-secrets-store-provider-azure");

let world: ComponentWorld;
let pods: PodReadiness;

/** Creation time in Unix milliseconds. */
const madeAt = (object: KubeObject | undefined): number => Date.parse(object?.metadata.creationTimestamp ?? "");

async function podsOf({ account, workload }: Holder): Promise<readonly KubeObject[]> {
  const all = await listAll<KubeObject>(world.plane, `/api/v1/namespaces/${workload.namespace}/pods`);
  return all.filter((pod) => at(pod, "spec", "serviceAccountName") === account.name && pod.metadata.deletionTimestamp === undefined);
}

/** Whether the holder has pods, and each is younger than its ServiceAccount. The API server rejects the tokens of older pods. */
async function haveGoodTokens(of: Holder): Promise<boolean> {
  const account = await readTarget(world.cluster, of.account);
  const own = await podsOf(of);
  return account !== undefined && own.length > 0 && own.every((pod) => madeAt(pod) >= madeAt(account));
}

const comesTrue = (attempt: () => Promise<boolean>): Promise<boolean> => eventually(attempt, { within: 30_000 }).catch(() => false);

async function gone(of: Holder): Promise<void> {
  // Kubernetes timestamps have a resolution of one second: an object that is created after this wait is younger than the pods.
  const youngest = Math.max(...(await podsOf(of)).map(madeAt));
  await clockShows(youngest + 1_000);
  await world.plane.kubectl(["delete", "serviceaccount", of.account.name, "-n", of.account.namespace ?? ""]);
}

describe("pods of a ServiceAccount that was deleted", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await installComponents();
    pods = startPodReadiness(world.plane);
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: "node", labels: { "kubernetes.io/os": "linux" } } };
    await world.plane.kubectl(["create", "-f", "-"], JSON.stringify(node));
    await world.worker(["--heal=crds,classes,components"]);
    await world.copiesAreThere();
    for (const each of [WEBHOOK, DRIVER, PROVIDER]) await eventually(() => haveGoodTokens(each), { what: `pods of ${each.workload.name}` });
  });
  after(async () => {
    await pods?.stop();
    await world?.stop();
  });

  test("U1: are replaced once it is healed, of our Deployments and of the node side, and an event says why", async () => {
    const all = [WEBHOOK, DRIVER, PROVIDER];
    await Promise.all(all.map(gone));

    const replaced = await Promise.all(
      all.map((each) => comesTrue(async () => (await readTarget(world.cluster, each.account)) !== undefined && haveGoodTokens(each))),
    );

    assert.deepEqual(replaced, [true, true, true]);
    const events = await eventsOf(world.plane, { namespace: NAMESPACE, name: "keyvault-injector-sync" });
    const reported = events.filter(({ reason }) => reason === "ComponentRestarted").map(({ message }) => message);
    assert.equal(reported.length, 3);
    assert.match(
      reported.join("\n"),
      /Deployment keyvault-injector\/keyvault-injector-webhook was restarted: ServiceAccount keyvault-injector-webhook was recreated at .*, and the API server rejects the earlier tokens/,
    );
  });

  test("U1: are replaced also where its installer was faster than healing, once", async () => {
    const before = writesOf(world.plane.audit()).length;
    await gone(WEBHOOK);
    await world.cluster.apply([manifestOf(world.cluster, WEBHOOK.account)]);

    assert.ok(await comesTrue(() => haveGoodTokens(WEBHOOK)));
    const restarts = writesOf(world.plane.audit())
      .slice(before)
      .filter(({ resource, name }) => resource === "apps/deployments" && name === WEBHOOK.workload.name);
    assert.equal(restarts.length, 1);
    // The installer's next apply changes nothing in its workload.
    const live = await readTarget(world.cluster, WEBHOOK.workload);
    await world.cluster.apply([manifestOf(world.cluster, WEBHOOK.workload)]);
    assert.equal((await readTarget(world.cluster, WEBHOOK.workload))?.metadata.generation, live?.metadata.generation);
  });
});
