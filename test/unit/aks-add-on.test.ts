/** AKS's Key Vault add-on: its driver syncs Secrets for every class that a pod mounts, and AKS manages the binding that allows this. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkDriverSync } from "../../src/cli/doctor/checks/nodes.ts";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { CSI_DRIVER } from "../../src/domain/injection/settings.ts";
import { type KubeObject, RESOURCES, type Secret, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { conditionOf } from "../../src/domain/sync/class-status.ts";
import { DRIVER_MANAGED_LABEL } from "../../src/domain/sync/take-over.ts";
import { classOf, INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";
import { holding } from "../support/worker/held-objects.ts";

const MOUNTED = { namespace: "team", name: "shop" };
const UNMOUNTED = { namespace: "team", name: "shop-sync" };
const SECRET = { namespace: "team", name: "shop-db" };
const POD = { namespace: "team", name: "shop-1" };

const SUBJECT = { kind: "ServiceAccount", name: "aks-secrets-store-csi-driver", namespace: "kube-system" };

/** The binding and the role as AKS names them. */
const BINDING = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: "aks-secretprovidersyncing-rolebinding" },
  roleRef: { kind: "ClusterRole", name: "aks-secretprovidersyncing-role" },
  subjects: [SUBJECT],
};
const ROLE = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name: "aks-secretprovidersyncing-role" },
  rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["create", "delete", "get", "list", "patch", "update", "watch"] }],
};

function mountingPod(): KubeObject {
  const csi = { driver: CSI_DRIVER, volumeAttributes: { secretProviderClass: MOUNTED.name } };
  const spec = { volumes: [{ name: "secrets", csi }] };
  return { apiVersion: "v1", kind: "Pod", metadata: POD, spec } as KubeObject;
}

/** Writes what driver 1.6 writes: every Secret in the class that the pod mounts, over whatever has its name. */
function driverSyncs(world: SimulatedWorld): void {
  const mounted = world.cluster.get<KubeObject>(RESOURCES.pods, POD) === undefined ? undefined : providerOf(world);
  for (const { secretName = "" } of mounted?.spec?.secretObjects ?? []) {
    const secret: Secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace: "team", name: secretName, labels: { [DRIVER_MANAGED_LABEL]: "true" } },
      type: "Opaque",
      data: { value: Buffer.from("the driver's").toString("base64") },
    };
    world.cluster.put(RESOURCES.secrets, secret);
  }
}

function providerOf(world: SimulatedWorld): SecretProviderClass | undefined {
  return world.cluster.get<SecretProviderClass>(RESOURCES.secretProviderClasses, MOUNTED);
}

function messageOf(world: SimulatedWorld, ref: typeof MOUNTED): string {
  return conditionOf(world.status(ref), "Synced")?.message ?? "";
}

async function addOnWorld(): Promise<SimulatedWorld> {
  const world = new SimulatedWorld();
  world.vaults.set("db");
  world.cluster.put(RESOURCES.clusterRoleBindings, BINDING);
  world.cluster.put(RESOURCES.pods, mountingPod());
  await world.clock.advance(600_000);
  world.apply({ ...MOUNTED, objects: ["db"] });
  driverSyncs(world);
  return world;
}

/** Applies a class with the secretObjects of the mounted one, which that one loses: the first half of the advice. */
function moveSecretObjects(world: SimulatedWorld): void {
  const { spec } = classOf({ ...MOUNTED, objects: ["db"] });
  const { secretObjects: _, ...mountedOnly } = spec ?? {};
  world.cluster.put(RESOURCES.secretProviderClasses, { ...classOf({ ...MOUNTED, objects: ["db"] }), spec: mountedOnly } as KubeObject);
  world.cluster.put(RESOURCES.secretProviderClasses, { ...classOf({ ...UNMOUNTED, objects: ["db"] }), spec } as KubeObject);
}

/** Does what `keyvault-injector refresh` does. */
function requestRefresh(world: SimulatedWorld): void {
  const provider = world.cluster.get<SecretProviderClass>(RESOURCES.secretProviderClasses, UNMOUNTED);
  assert.ok(provider !== undefined);
  const annotations = { [CLASS_ANNOTATIONS.refresh]: "now" };
  world.cluster.put(RESOURCES.secretProviderClasses, { ...provider, metadata: { ...provider.metadata, annotations } });
}

describe("the driver's sync of AKS's add-on", () => {
  test("SW1: is not to be turned off: the message names the way that ends the Conflict on AKS, and doctor the guide", async () => {
    const world = await addOnWorld();
    const leader = world.lead();
    await world.clock.advance(1_000);

    assert.equal(world.condition(MOUNTED, "Synced"), "False Conflict");
    const message = messageOf(world, MOUNTED);
    assert.match(message, /which ClusterRoleBinding aks-secretprovidersyncing-rolebinding of AKS's Key Vault add-on allows/);
    assert.match(message, /move its secretObject to a class that no pod mounts, and delete the Secret: the worker then creates it/);
    assert.doesNotMatch(message, /syncSecret|delete the binding/);
    await leader.stop();

    const driver = {
      serviceAccountName: SUBJECT.name,
      containers: [{ name: "driver", image: "mcr.microsoft.com/oss/v2/kubernetes-csi/secrets-store/driver:v1.6.0" }],
    };
    const daemonSet = {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: SUBJECT.name, namespace: SUBJECT.namespace },
      spec: { template: { spec: driver } },
    };
    const [result] = await checkDriverSync({ viewer: holding([daemonSet, BINDING, ROLE]), namespace: "keyvault-injector" });
    assert.equal(result?.state, "WARN");
    assert.match(
      result.message,
      /aks-secrets-store-csi-driver can write Secrets \(ClusterRoleBinding aks-secretprovidersyncing-rolebinding\)/,
    );
    assert.equal(result.fix, "follow docs/how-to/migrate-from-the-drivers-sync.md");
  });

  test("SW1: ends in no Conflict for a class that no pod mounts, once the driver's Secret is deleted, and stays so", async () => {
    const world = await addOnWorld();
    const leader = world.lead();
    await world.clock.advance(1_000);
    assert.equal(world.condition(MOUNTED, "Synced"), "False Conflict");

    moveSecretObjects(world);
    await world.clock.advance(INTERVAL);
    assert.equal(world.condition(UNMOUNTED, "Synced"), "False Conflict", "the Secret is still the driver's");

    world.cluster.delete(RESOURCES.secrets, SECRET);
    driverSyncs(world);
    requestRefresh(world);
    await world.clock.advance(1_000);
    assert.equal(world.condition(UNMOUNTED, "Synced"), "True Synced", "at once, because of the refresh");
    const made = world.value(SECRET);
    assert.ok(made !== undefined && made !== "the driver's");

    driverSyncs(world);
    world.vaults.set("db");
    await world.clock.advance(2 * INTERVAL);
    assert.equal(world.condition(UNMOUNTED, "Synced"), "True Synced");
    assert.notEqual(world.value(SECRET), made, "a rotation arrives");
    assert.equal(world.condition(MOUNTED, "Synced"), "none");
    await leader.stop();
  });

  test("SW1: ends in no Conflict where the pods drop the volume instead, once the driver's Secret is deleted", async () => {
    const world = await addOnWorld();
    const leader = world.lead();
    await world.clock.advance(1_000);

    world.cluster.delete(RESOURCES.pods, POD);
    world.cluster.delete(RESOURCES.secrets, SECRET);
    driverSyncs(world);
    await world.clock.advance(INTERVAL);

    assert.equal(world.condition(MOUNTED, "Synced"), "True Synced");
    await leader.stop();
  });
});
