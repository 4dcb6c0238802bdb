/** Which DaemonSets count as the cluster's CSI driver and Azure provider: users can create DaemonSets that run an image of any name. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import type { DoctorContext } from "../../src/cli/doctor/checks/check.ts";
import { checkInstalled } from "../../src/cli/doctor/checks/install.ts";
import { checkDriver, checkDriverSync, checkProvider } from "../../src/cli/doctor/checks/nodes.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import { MANIFESTS, type Manifest } from "../support/cluster/shipped-manifests.ts";
import { CSI_DRIVER_OBJECT } from "../support/fixtures/csi-driver.ts";
import { classVolume, usedClass, usedPod, usedPodStatus } from "../support/fixtures/used-objects.ts";
import { holding } from "../support/worker/held-objects.ts";

const CLASS = usedClass("web", { objects: ["secret/db-pass"] });
const POD = usedPod("web-1", {
  started: 1,
  container: { volumeMounts: [{ name: "secrets", mountPath: "/mnt" }] },
  volumes: [classVolume("web")],
});
const FILES = usedPodStatus("web-1", { className: "web", versions: { "secret/db-pass": "a".repeat(32) }, writtenAt: 5 });

interface Made {
  readonly image?: string;
  readonly interval?: string;
  /** Folders of the node that the pods mount. */
  readonly folders?: readonly string[];
  readonly wanted?: number;
  readonly ready?: number;
}

const DRIVER = "registry.k8s.io/csi-secrets-store/driver:v1.6.0";
const OLD_DRIVER = "tenant.example/secrets-store-csi-driver:v1.3.0";
const PROVIDER = "mcr.microsoft.com/oss/v2/azure/secrets-store/provider-azure:v1.8.2";
const DRIVER_FOLDERS = ["/var/lib/kubelet/pods", "/var/lib/kubelet/plugins/csi-secrets-store/"];
const PROVIDER_FOLDERS = ["/etc/kubernetes/secrets-store-csi-providers"];

function daemonSet(namespace: string, name: string, made: Made = {}): Manifest & { readonly spec: object; readonly status: object } {
  const { image = DRIVER, interval = "2m", folders = [], wanted = 3, ready = wanted } = made;
  const args = ["--enable-secret-rotation=true", `--rotation-poll-interval=${interval}`];
  const volumes = folders.map((path, index) => ({ name: `v${index}`, hostPath: { path } }));
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { namespace, name },
    spec: { template: { spec: { containers: [{ name: "c", image, args }], volumes } } },
    status: { desiredNumberScheduled: wanted, numberReady: ready },
  };
}

const TENANT = daemonSet("aaa-tenant", "x", { image: OLD_DRIVER, interval: "9000h", ready: 0 });
const TENANT_PROVIDER = daemonSet("aaa-tenant", "p", { image: "tenant.example/provider-azure:v1", ready: 0 });
const IN_KUBE_SYSTEM = daemonSet("kube-system", "csi-secrets-store");
const BY_HELM = daemonSet("csi-driver", "secrets-store", { folders: DRIVER_FOLDERS });

async function refresh(daemonSets: readonly Manifest[], args: readonly string[] = []) {
  let [waitedMs, annotated] = [0, 0];
  const cluster = heldCluster([CLASS, POD, FILES, CSI_DRIVER_OBJECT, ...daemonSets]);
  Object.assign(cluster.kube, { mergePatch: async ({ plural }: { plural: string }) => void (annotated += plural === "pods" ? 1 : 0) });
  const sleep = async (milliseconds: number): Promise<void> => {
    waitedMs += milliseconds;
    assert.ok(waitedMs <= 7_200_000, "the command waits for more than two hours");
  };
  const clock = { now: () => 1_700_000_000_000 + waitedMs, monotonic: () => waitedMs, sleep };
  const { output } = await runOffline(["refresh", "web", "-n", "shop", "-o", "json", ...args], "", { cluster, clock });
  return { pace: JSON.parse(output).pace, annotated, waitedMs };
}

const contextOf = (objects: readonly Manifest[], namespace = "keyvault-injector") =>
  ({ viewer: holding(objects), namespace }) as DoctorContext; // The checks use only these two.

async function messagesOf(check: typeof checkDriver, objects: readonly Manifest[], namespace?: string): Promise<readonly string[]> {
  return (await check(contextOf(objects, namespace))).map(({ state, message }) => `${state} ${message}`);
}

describe("A2: refresh takes for the CSI driver", () => {
  for (const [what, others] of [
    ["the one in kube-system, not a tenant's", [IN_KUBE_SYSTEM]],
    ["the one in the install's namespace, not a tenant's", [daemonSet("keyvault-injector", "driver")]],
    ["the one that mounts the kubelet's folders, not a tenant's", [BY_HELM]],
    [
      "the one in kube-system, although a tenant's mounts the kubelet's folders",
      [IN_KUBE_SYSTEM, daemonSet("bbb-tenant", "y", { image: OLD_DRIVER, folders: DRIVER_FOLDERS })],
    ],
    [
      "the one on the nodes, not the one for Windows, which no node needs",
      [daemonSet("kube-system", "a-windows", { image: OLD_DRIVER, wanted: 0 }), IN_KUBE_SYSTEM],
    ],
  ] as const) {
    test(what, async () => {
      const { pace, annotated } = await refresh([TENANT, ...others]);
      assert.deepEqual([pace.kind, pace.atMostMs, annotated], ["republish", 210_000, 1]);
    });
  }

  test("none of several that differ: it triggers the pods, and names all", async () => {
    const other = daemonSet("aaa-tenant", "x", { image: OLD_DRIVER, interval: "9000h", folders: DRIVER_FOLDERS });
    const { pace, annotated } = await refresh([other, BY_HELM]);
    const why = "the DaemonSets aaa-tenant/x and csi-driver/secrets-store run the CSI driver with different settings";
    assert.deepEqual([pace, annotated], [{ kind: "unknown", why }, 1]);
  });

  test("none, where only a tenant's runs its image", async () => {
    const { pace, annotated } = await refresh([TENANT]);
    assert.deepEqual([pace.kind, annotated], ["unknown", 1]);
  });
});

test("A2: refresh --wait waits no longer than its maximum, whatever the driver's interval", async () => {
  const { waitedMs } = await refresh([daemonSet("kube-system", "csi", { image: OLD_DRIVER, interval: "9000h" })], ["--wait"]);
  assert.equal(waitedMs, 3_600_000);
});

describe("A2: doctor", () => {
  test("judges the cluster's driver and provider, not those of tenants", async () => {
    const provider = daemonSet("kube-system", "provider", { image: PROVIDER });
    const objects = [CSI_DRIVER_OBJECT, TENANT, TENANT_PROVIDER, IN_KUBE_SYSTEM, provider];
    assert.deepEqual(await messagesOf(checkDriver, objects), ["OK DaemonSet kube-system/csi-secrets-store: 3 of 3 are ready"]);
    assert.deepEqual(await messagesOf(checkProvider, objects), ["OK DaemonSet kube-system/provider: 3 of 3 are ready"]);
  });

  test("judges a driver and a provider in a namespace of their own", async () => {
    const provider = daemonSet("csi-driver", "provider", { image: PROVIDER, folders: PROVIDER_FOLDERS });
    const objects = [CSI_DRIVER_OBJECT, TENANT, TENANT_PROVIDER, BY_HELM, provider];
    assert.deepEqual(await messagesOf(checkDriver, objects), ["OK DaemonSet csi-driver/secrets-store: 3 of 3 are ready"]);
    assert.deepEqual(await messagesOf(checkProvider, objects), ["OK DaemonSet csi-driver/provider: 3 of 3 are ready"]);
  });

  test("takes a driver for Windows by the folders of Windows", async () => {
    const windows = daemonSet("csi-driver", "windows", { folders: ["C:\\var\\lib\\kubelet\\plugins\\csi-secrets-store"] });
    assert.deepEqual(await messagesOf(checkDriver, [CSI_DRIVER_OBJECT, windows]), ["OK DaemonSet csi-driver/windows: 3 of 3 are ready"]);
  });

  test("fails where only tenants' DaemonSets run the images, and names them", async () => {
    const unlike = (name: string) => `except for ${name}, which mounts none of the folders that the`;
    const objects = [CSI_DRIVER_OBJECT, TENANT, TENANT_PROVIDER];
    assert.deepEqual(await messagesOf(checkDriver, objects), [
      `FAIL no DaemonSet runs the driver's image, ${unlike("aaa-tenant/x")} driver needs`,
    ]);
    assert.deepEqual(await messagesOf(checkProvider, objects), [
      `FAIL no DaemonSet runs the provider's image, ${unlike("aaa-tenant/p")} provider needs`,
    ]);
    const [sync = ""] = await messagesOf(checkDriverSync, objects);
    assert.match(sync, /^SKIP/);
  });

  test("warns of drivers that differ, and names all", async () => {
    const other = daemonSet("aaa-tenant", "x", { image: OLD_DRIVER, folders: DRIVER_FOLDERS });
    assert.deepEqual(await messagesOf(checkDriver, [CSI_DRIVER_OBJECT, other, BY_HELM]), [
      "OK DaemonSet aaa-tenant/x: 3 of 3 are ready",
      "OK DaemonSet csi-driver/secrets-store: 3 of 3 are ready",
      "WARN the DaemonSets aaa-tenant/x and csi-driver/secrets-store run the CSI driver with different settings",
    ]);
  });

  test("advises an install with the provider, although a tenant's DaemonSet runs an image of its name", async () => {
    const [tenants] = await checkInstalled(contextOf([TENANT_PROVIDER]));
    const [clusters] = await checkInstalled(contextOf([TENANT_PROVIDER, daemonSet("kube-system", "p", { image: PROVIDER })]));
    assert.doesNotMatch(tenants?.fix ?? "", /linux\.enabled/);
    assert.match(clusters?.fix ?? "", /--set linux\.enabled=false/);
  });
});

describe("NB5: doctor, where driver and provider are missing", () => {
  test("names a command that fits the cluster's version, and the chart's value", async () => {
    const fixes = (await Promise.all([checkDriver, checkProvider].map((check) => check(contextOf([]))))).flat().map(({ fix = "" }) => fix);
    const folders = fixes.flatMap((fix) => fix.match(/(?<=[/(])(?:csi-driver|azure-provider)[-.\w]*/g) ?? []);

    for (const fix of fixes) assert.match(fix, /^kubectl apply -k manifests\/components\/\S+.*, or set the chart's value \S+=true$/);
    assert.ok(folders.includes("csi-driver") && folders.includes("csi-driver-before-1.35"));
    for (const name of folders) assert.ok(existsSync(path.join(MANIFESTS, "components", name)), name);
  });
});
