import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ObjectRef, Resource } from "../../src/domain/kubernetes.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { csiDriver } from "../support/fixtures/csi-driver.ts";
import { classVolume, usedClass, usedPod, usedPodStatus, usedSecret, usedStatus } from "../support/fixtures/used-objects.ts";

const VERSION = "a".repeat(32);
const CLASS = usedClass("web", { objects: ["secret/db-pass"], secrets: { db: { password: "db-pass" } } });
const SECRET = usedSecret("db", { className: "web", objects: `secret/db-pass@${VERSION}` });
const STATUS = usedStatus("web", { db: [{ key: "password", object: "secret/db-pass", version: VERSION }] }) as Manifest & {
  readonly status: object;
};
const LATE_SECRET = usedSecret("db", { className: "web", objects: `secret/db-pass@${VERSION}`, writtenAt: 9 });
/** The clock of a command in a test does not advance. */
const ANSWERED = { ...STATUS, status: { ...STATUS.status, observedRefresh: "2023-11-14T22:13:20.000Z" } };
const podOf = (name: string): Manifest =>
  usedPod(name, {
    started: 1,
    container: { volumeMounts: [{ name: "secrets", mountPath: "/mnt" }] },
    volumes: [classVolume("web")],
  });
const filesOf = (name: string, version = VERSION, writtenAt = 5): Manifest =>
  usedPodStatus(name, { className: "web", versions: { "secret/db-pass": version }, writtenAt });
const WITH_ENV = usedPod("env-1", {
  started: 1,
  container: { env: [{ name: "PASS", valueFrom: { secretKeyRef: { name: "db", key: "password" } } }] },
});
const [DRIVER] = csiDriver();

async function refreshed(objects: readonly Manifest[], ...args: readonly string[]) {
  const held = [...objects];
  const cluster = heldCluster(held);
  const mergePatch = async ({ kind }: Resource, _: ObjectRef, { metadata }: Pick<Manifest, "metadata">) => {
    if (kind === "SecretProviderClass") held[0] = { ...CLASS, metadata: { ...CLASS.metadata, ...metadata } };
    return {};
  };
  Object.assign(cluster.kube, { mergePatch });
  const { code, output } = await runOffline(["refresh", "web", "-n", "shop", ...args], "", { cluster });
  return { code, output, last: output.trimEnd().split("\n").at(-1) ?? "" };
}

describe("NB1: the last line of refresh --wait", () => {
  const NOT_MOUNTED = "the driver has no status for it, because the pod has not mounted the class yet";
  const failed = {
    ...ANSWERED,
    status: { ...ANSWERED.status, conditions: [{ type: "Synced", status: "False", reason: "Forbidden", message: "no" }] },
  };
  const lateKey = usedStatus("web", { db: [{ key: "password", object: "secret/db-pass", version: VERSION, since: 9 }] }) as typeof STATUS;

  for (const [name, objects, code, verdict] of [
    ["says that all is well", [CLASS, SECRET, ANSWERED, podOf("a"), filesOf("a"), DRIVER], 0, "everything is up to date"],
    [
      "says that the time is over, and what is missing",
      [CLASS, SECRET, STATUS, podOf("a"), DRIVER],
      1,
      `timed out after 0s: the worker has not finished the request; 1 pod has no known version (shop/a: ${NOT_MOUNTED})`,
    ],
    [
      "names pods with older files, the first ones",
      [
        CLASS,
        SECRET,
        ANSWERED,
        DRIVER,
        podOf("new"),
        filesOf("new", VERSION, 9),
        ...["a", "b", "c", "d", "e"].flatMap((each) => [podOf(each), filesOf(each, "b".repeat(32))]),
      ],
      1,
      "timed out after 0s: 5 pods have an older version (shop/a, shop/b, shop/c, and 2 more)",
    ],
    [
      "says that waiting does not help",
      [CLASS, SECRET, failed, podOf("a"), filesOf("a"), DRIVER],
      1,
      "stopped early, because waiting does not help: the class is not up to date (Forbidden)",
    ],
    [
      "says that nobody knows how long to wait for the files",
      [CLASS, SECRET, ANSWERED, podOf("a")],
      1,
      `stopped early, because it is not known when mounted files are updated: 1 pod has no known version (shop/a: ${NOT_MOUNTED})`,
    ],
    [
      "claims nothing about containers that get no new version before they restart",
      [CLASS, LATE_SECRET, { ...lateKey, status: { ...lateKey.status, observedRefresh: "2023-11-14T22:13:20.000Z" } }, WITH_ENV, DRIVER],
      0,
      "no Secret and no mounted file has an older version, but 1 pod has an older version (shop/env-1)",
    ],
  ] as const) {
    test(name, async () => {
      const { code: ended, last } = await refreshed(objects, "--wait", "--timeout", "0s");
      assert.deepEqual([ended, last], [code, verdict]);
    });
  }

  test("is not there without --wait", async () => {
    const { output } = await refreshed([CLASS, SECRET, ANSWERED, podOf("a"), filesOf("a"), DRIVER]);
    assert.doesNotMatch(output, /everything|timed out|stopped/);
  });

  test("is the field isUpToDate in JSON", async () => {
    const { output } = await refreshed([CLASS, SECRET, ANSWERED, podOf("a"), filesOf("a"), DRIVER], "--wait", "-o", "json");
    assert.equal(JSON.parse(output).isUpToDate, true);
    assert.doesNotMatch(output, /everything/);
  });
});

describe("NB2: refresh", () => {
  const unscheduled = (name: string): Manifest => {
    const { ["spec"]: spec, ...pod } = podOf(name) as Manifest & { readonly spec: object };
    return { ...pod, spec: { ...spec, nodeName: undefined } };
  };

  test("says what it did to the pods, and not that a kubelet did something", async () => {
    const { output } = await refreshed([CLASS, SECRET, STATUS, podOf("a"), podOf("b"), DRIVER]);
    assert.match(output, /^ {2}annotated 2 pods, so that their kubelets sync them now$/m);
    assert.doesNotMatch(output, /triggered/);
  });

  test("gives no times of a driver that is not there, and does not advise a restart", async () => {
    const { output } = await refreshed([CLASS, SECRET, STATUS, podOf("a")]);
    assert.match(
      output,
      /^ {2}it is not known when the mounted files are updated: no DaemonSet runs the CSI driver's image; see keyvault-injector doctor$/m,
    );
    assert.doesNotMatch(output, /2m30s|[Rr]estart the pods/);
  });

  test("counts the pods that no kubelet has, and claims no sync of them", async () => {
    const { output } = await refreshed([CLASS, SECRET, STATUS, podOf("a"), unscheduled("b"), DRIVER]);
    assert.match(output, /^ {2}annotated 1 pod, so that its kubelet syncs it now$/m);
    assert.match(output, /^ {2}1 pod is not scheduled yet$/m);
  });
});
