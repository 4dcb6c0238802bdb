import assert from "node:assert/strict";
import type { Secret } from "../../../src/domain/kubernetes.ts";
import { eventually } from "../../support/time/eventually.ts";
import { clusterOf } from "../support/cluster.ts";
import { DRIVER_IMAGE } from "../support/node-images.ts";
import { allowOlderDriver, bound, forbidOlderDriver, OLDER_IMAGE, useDriver } from "../support/older-driver.ts";
import type { Scenarios } from "../support/scenarios.ts";
import { podTemplate, shell } from "../support/workloads.ts";
import { VAULT, type World } from "../support/world.ts";

const CLASS = "driver-sync";
const SECRET = "driver-made";
const APP = "driver-sync-app";
const DRIVER_LABEL = "secrets-store.csi.k8s.io/managed";
const OUR_LABEL = "keyvault-injector.dev/managed";
const BINDING = "secretprovidersyncing-rolebinding";

const SYNC_RIGHTS = { resource: "secrets", verbs: ["create", "delete", "get", "list", "patch", "update", "watch"] };
/** The role that `syncSecret.enabled: true` adds. */
const SYNC_ROLE = bound("secretprovidersyncing", SYNC_RIGHTS);
/** The same role as AKS's Key Vault add-on names it. AKS manages the binding, so this sync stays on. */
const AKS_ROLE = bound("aks-secretprovidersyncing", SYNC_RIGHTS);
const UNMOUNTED = "driver-sync-unmounted";

/** The driver's own, real sync together with ours: switched on, off, ours, and back. */
export function driverSyncScenarios(scenario: Scenarios, world: () => World): void {
  withDriver(scenario, world, { version: "1.6.0", image: DRIVER_IMAGE, writesOver: true });
  scenario.run("the driver before its 1.6 is put in its place", () => allowOlderDriver(world().node));
  withDriver(scenario, world, { version: "1.5.6", image: OLDER_IMAGE, writesOver: false });
  scenario.run("the driver of the manifests is put back", async () => {
    await useDriver(world().node, DRIVER_IMAGE);
    await forbidOlderDriver(world().node);
  });
}

interface Driver {
  readonly version: string;
  readonly image: string;
  /** Whether the driver overwrites an existing Secret with the same name. */
  readonly writesOver: boolean;
}

function withDriver(scenario: Scenarios, world: () => World, { version, image, writesOver }: Driver): void {
  const kubectl = (args: readonly string[], input?: string): Promise<string> => world().node.kubectl(args, input);
  const cluster = clusterOf(world);

  const secret = async (): Promise<Secret | undefined> => {
    const text = await kubectl(["get", "secret", SECRET, "--ignore-not-found", "--output=json"]);
    return text === "" ? undefined : (JSON.parse(text) as Secret); // The API server's own object.
  };
  const isDrivers = ({ metadata }: Secret): boolean => metadata.labels?.[DRIVER_LABEL] === "true";
  const isOurs = ({ metadata }: Secret): boolean => metadata.labels?.[OUR_LABEL] === "true";
  const secretThat = (holds: (live: Secret) => boolean, what: string): Promise<Secret> =>
    eventually(
      async () => {
        const live = await secret();
        return live !== undefined && holds(live) ? live : undefined;
      },
      { what, within: 90_000, every: 500 },
    );

  /** A restarted driver begins immediately, while a running one retries its cache of Secrets at growing intervals. */
  const switchOn = async (role = SYNC_ROLE): Promise<void> => {
    await cluster.apply(...role);
    await kubectl(["set", "image", "daemonset/csi-secrets-store", `secrets-store=${image}`, "--namespace=kube-system"]);
    await kubectl(["rollout", "restart", "daemonset/csi-secrets-store", "--namespace=kube-system"]);
    await kubectl(["rollout", "status", "daemonset/csi-secrets-store", "--namespace=kube-system", "--timeout=90s"]);
  };
  const switchOff = (): Promise<string> => kubectl(["delete", "clusterrolebinding", BINDING]);
  /** `null` removes the annotation, so that our worker syncs the class. */
  const setMode = (mode: "never" | null): Promise<string> =>
    kubectl([
      "patch",
      "secretproviderclass",
      CLASS,
      "--type=merge",
      `--patch=${JSON.stringify({ metadata: { annotations: { "keyvault-injector.dev/sync": mode } } })}`,
    ]);
  const startPod = async (): Promise<void> => {
    await cluster.apply(deployment());
    await kubectl(["rollout", "status", `deployment/${APP}`, "--timeout=90s"]);
  };
  const stopPod = (): Promise<string> => kubectl(["delete", "deployment", APP, "--cascade=foreground", "--timeout=60s"]);
  const reason = (name: string): Promise<string> =>
    kubectl(["get", "spcsync", name, "--ignore-not-found", '--output=jsonpath={.status.conditions[?(@.type=="Synced")].reason}']);
  const reasonIs = (wanted: string, name = CLASS, within = 60_000): Promise<boolean> =>
    eventually(async () => (await reason(name)) === wanted, { what: `${name}: ${wanted}`, within, every: 500 });
  const conflict = async (advice = `${BINDING} allows; turn that sync off`): Promise<void> => {
    await reasonIs("Conflict");
    const message = await kubectl(["get", "spcsync", CLASS, '--output=jsonpath={.status.conditions[?(@.type=="Synced")].message}']);
    assert.match(message, new RegExp(`written by the CSI driver's own sync, which ClusterRoleBinding ${advice}`));
  };

  scenario.run(`what driver ${version}'s own sync made is left to it, and taken over as it is once that sync is off`, async () => {
    const { "tenant-Id": tenantId } = world().walk.values;
    await cluster.apply(providerClass(tenantId));
    await switchOn();
    await startPod();
    const made = await secretThat(isDrivers, "the driver's Secret");
    assert.ok((await secretThat(hasOwner, "an owner")).metadata.uid === made.metadata.uid);

    await setMode(null);
    await conflict();
    const left = await secretThat(isDrivers, "the driver's Secret");
    assert.deepEqual([left.metadata.uid, isOurs(left)], [made.metadata.uid, false]);

    await switchOff();
    const taken = await secretThat((live) => isOurs(live) && !isDrivers(live) && !hasOwner(live), "a Secret that is ours alone");
    assert.equal(taken.metadata.uid, made.metadata.uid);
    assert.deepEqual(taken.data, made.data);
    await reasonIs("Synced");

    await stopPod();
    const kept = await secret();
    assert.equal(kept?.metadata.uid, made.metadata.uid, "the end of the workload takes nothing along");
    console.log(`driver ${version}'s sync: on, off, ours: the same object ${made.metadata.uid} with the same bytes throughout`);
  });

  scenario.run(`the Secret goes back to driver ${version}, and to us again`, async () => {
    const before = await secretThat(isOurs, "a Secret that is ours");
    await setMode("never");
    // That driver does not change existing Secrets.
    if (!writesOver) await kubectl(["delete", "secret", SECRET]);
    await switchOn();
    await startPod();
    const driven = await secretThat((live) => isDrivers(live) && hasOwner(live), "a Secret that is the driver's again");
    assert.deepEqual([driven.metadata.uid === before.metadata.uid, isOurs(driven)], [writesOver, false]);
    assert.deepEqual(driven.data, before.data);

    await setMode(null);
    await conflict();
    await switchOff();
    const back = await secretThat((live) => isOurs(live) && !hasOwner(live), "a Secret that is ours again");
    assert.equal(back.metadata.uid, driven.metadata.uid);
    assert.deepEqual(back.data, before.data);

    await stopPod();
    await kubectl(["delete", "secretproviderclass", CLASS]);
    await eventually(async () => (await secret()) === undefined, {
      what: "the end of the Secret with its class",
      within: 30_000,
      every: 500,
    });
    await kubectl(["delete", "clusterrole", "secretprovidersyncing-role"]);
  });

  scenario.run(`SW1: with AKS's add-on, a class that no pod mounts has its Secret beside driver ${version}'s own sync`, async () => {
    const made = providerClass(world().walk.values["tenant-Id"]);
    await cluster.apply(made);
    await switchOn(AKS_ROLE);
    await startPod();
    await secretThat(isDrivers, "the driver's Secret");
    await setMode(null);
    await conflict(`aks-${BINDING} of AKS's Key Vault add-on allows; move its secretObject to a class that no pod mounts`);

    await cluster.apply({ ...made, metadata: { name: UNMOUNTED } });
    await kubectl(["patch", "secretproviderclass", CLASS, "--type=json", '--patch=[{"op":"remove","path":"/spec/secretObjects"}]']);
    await kubectl(["delete", "secret", SECRET]);
    await reasonIs("Synced", UNMOUNTED, 150_000);
    const ours = await secretThat((live) => isOurs(live) && !isDrivers(live) && !hasOwner(live), "a Secret that is ours alone");

    await stopPod();
    await startPod();
    const kept = await secret();
    assert.deepEqual([kept?.metadata.uid, kept !== undefined && isOurs(kept)], [ours.metadata.uid, true]);
    await stopPod();
    await kubectl(["delete", "secretproviderclass", CLASS, UNMOUNTED]);
    await kubectl(["delete", "clusterrolebinding", `aks-${BINDING}`]);
    await kubectl(["delete", "clusterrole", "aks-secretprovidersyncing-role"]);
  });
}

function hasOwner({ metadata }: Secret): boolean {
  return (metadata.ownerReferences ?? []).length > 0;
}

function providerClass(tenantId: string): object {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { name: CLASS, annotations: { "keyvault-injector.dev/sync": "never" } },
    spec: {
      provider: "azure",
      parameters: {
        usePodIdentity: "false",
        keyvaultName: VAULT,
        tenantId,
        objects: "array:\n  - |\n    objectName: DemoSecret\n    objectType: secret\n",
      },
      secretObjects: [{ secretName: SECRET, type: "Opaque", data: [{ objectName: "DemoSecret", key: "password" }] }],
    },
  };
}

/** The volume as upstream's users write it. */
function deployment(): object {
  const name = "secrets-store";
  const container = shell("sleeper", "trap 'exit 0' TERM; sleep 10000 & wait", {
    volumeMounts: [{ name, mountPath: "/mnt/secrets", readOnly: true }],
  });
  const csi = {
    driver: "secrets-store.csi.k8s.io",
    readOnly: true,
    volumeAttributes: { secretProviderClass: CLASS },
    nodePublishSecretRef: { name: "secrets-store-creds" },
  };
  const template = podTemplate(APP, { containers: [container], annotations: {} }) as { metadata: object; spec: object }; // Built there.
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: APP },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: APP } },
      template: { ...template, spec: { ...template.spec, volumes: [{ name, csi }] } },
    },
  };
}
