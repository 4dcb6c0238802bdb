import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject, ObjectRef, Resource } from "../../src/domain/kubernetes.ts";
import type { ListRequest } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { csiDriver } from "../support/fixtures/csi-driver.ts";
import { classVolume, usedClass, usedPod, usedPodStatus, usedSecret, usedStatus } from "../support/fixtures/used-objects.ts";

const VERSION = "a".repeat(32);
const CLASS = usedClass("web", { objects: ["secret/db-pass"], secrets: { db: { password: "db-pass" } } });
const SECRET = usedSecret("db", { className: "web", objects: `secret/db-pass@${VERSION}` });
const STATUS = usedStatus("web", { db: [{ key: "password", object: "secret/db-pass", version: VERSION }] });
const POD = usedPod("web-1", {
  started: 1,
  container: { volumeMounts: [{ name: "secrets", mountPath: "/mnt" }] },
  volumes: [classVolume("web")],
});
const FILES = usedPodStatus("web-1", { className: "web", versions: { "secret/db-pass": VERSION }, writtenAt: 5 });

interface Refresh {
  readonly args?: readonly string[];
  /** Plurals that the user may not patch. */
  readonly refused?: readonly string[];
  readonly onList?: (resource: Resource) => void;
}

/** Runs the command. Returns `PLURAL NAMESPACE/NAME` of every object that it annotated. */
async function refreshed(objects: readonly Manifest[], { args = [], refused = [], onList }: Refresh = {}) {
  const written: string[] = [];
  const cluster = heldCluster(objects);
  const list = cluster.kube.list.bind(cluster.kube);
  Object.assign(cluster.kube, {
    list: async (resource: Resource, request: ListRequest<KubeObject>, signal: AbortSignal) => {
      const listed = await list(resource, request, signal);
      onList?.(resource);
      return listed;
    },
    mergePatch: async (
      resource: Resource,
      { namespace, name }: ObjectRef,
      patch: { readonly metadata: { readonly annotations: object } },
    ) => {
      if (refused.includes(resource.plural))
        throw new KubeError("Forbidden", "no", { retry: { kind: "never" }, refuser: { kind: "rights" } });
      assert.deepEqual(Object.keys(patch.metadata.annotations), ["keyvault-injector.dev/refresh"]);
      written.push(`${resource.plural} ${namespace ?? ""}/${name}`);
      return {};
    },
  });
  const { code, output, notes } = await runOffline(["refresh", "web", "-n", "shop", "-o", "json", ...args], "", { cluster });
  return { code, notes, written, report: JSON.parse(output) };
}

describe("refresh", () => {
  test("NW-L9: warns of a class that no refresh helps, and of no other", async () => {
    const broken = usedClass("web", { objects: ["secret/db-pass"], secrets: { app: { password: "no-such" } } });
    const [wrong, right] = [
      await refreshed([broken, ...csiDriver("v1.6.0")]),
      await refreshed([CLASS, SECRET, STATUS, ...csiDriver("v1.6.0")]),
    ];

    assert.match(
      wrong.notes.join("\n"),
      /^warning: no refresh helps class shop\/web until someone corrects it: .*no-such.* \(InvalidClass\)$/m,
    );
    assert.deepEqual(wrong.written, ["secretproviderclasses shop/web"]);
    assert.deepEqual(right.notes, []);
  });

  test("asks the worker, and from 1.6 of the driver on the kubelets", async () => {
    const { code, written, report } = await refreshed([CLASS, SECRET, STATUS, POD, FILES, ...csiDriver("v1.6.0")]);

    assert.deepEqual(written, ["secretproviderclasses shop/web", "pods shop/web-1"]);
    assert.deepEqual([code, report.pace.kind, report.asked, report.isAnswered], [0, "republish", 1, false]);
    assert.equal(report.objects[0].containers[0].version, VERSION);
  });

  for (const [name, more, pace] of [
    ["an earlier driver, which cannot be asked", csiDriver("v1.5.6"), "timer"],
    ["a driver that does not rotate", csiDriver("v1.6.0", []), "never"],
  ] as const) {
    test(`leaves pods alone with ${name}`, async () => {
      const { written, report } = await refreshed([CLASS, SECRET, STATUS, POD, FILES, ...more]);
      assert.deepEqual([written, report.pace.kind, report.asked], [["secretproviderclasses shop/web"], pace, 0]);
    });
  }

  const unlisted = (plural: string) => (resource: Resource) => {
    if (resource.plural === plural) throw new KubeError("Forbidden", "no", { retry: { kind: "never" }, refuser: { kind: "rights" } });
  };

  for (const [name, objects, options, why] of [
    [
      "the user may not list DaemonSets",
      csiDriver("v1.6.0"),
      { onList: unlisted("daemonsets") },
      "you lack permission to see the CSI driver's DaemonSet",
    ],
    ["no DaemonSet runs the driver's image", [], {}, "no DaemonSet runs the CSI driver's image"],
  ] as const) {
    test(`NC-6: asks the kubelets although ${name}, and says what is not known`, async () => {
      const { code, written, report } = await refreshed([CLASS, SECRET, STATUS, POD, FILES, ...objects], options);

      assert.deepEqual(written, ["secretproviderclasses shop/web", "pods shop/web-1"]);
      assert.deepEqual([code, report.asked], [0, 1]);
      assert.partialDeepStrictEqual(report.pace, { kind: "unknown", why });
    });
  }

  test("NC-6: does not claim that files follow where the driver is not known", async () => {
    const cluster = heldCluster([CLASS, SECRET, STATUS, POD, FILES]);
    Object.assign(cluster.kube, { mergePatch: async () => ({}) });
    const { output } = await runOffline(["refresh", "web", "-n", "shop"], "", { cluster });

    assert.match(
      output,
      /^ {2}annotated 1 pod, so that its kubelet syncs it now; the driver then updates the files if its version is 1\.6 or later$/m,
    );
    assert.match(output, /^ {2}it is not known when the mounted files are updated: /m);
  });

  test("NC-6: its help names every permission that it uses", async () => {
    const { output } = await runOffline(["refresh", "-h"], "");

    for (const needed of [/get and patch the class/, /list and patch pods/, /list\s+DaemonSets/]) assert.match(output, needed);
  });

  test("says where the user may not patch pods, and goes on", async () => {
    const { code, report, notes } = await refreshed([CLASS, SECRET, STATUS, POD, FILES, ...csiDriver("v1.6.0")], { refused: ["pods"] });
    assert.deepEqual([code, report.asked, notes], [0, 0, ["note: you lack permission to patch pods shop/web-1; ask for it"]]);
  });

  test("ends with 2 where the user may not patch the class, and where there is none", async () => {
    assert.deepEqual((await refreshed([CLASS], { refused: ["secretproviderclasses"] })).report.problems, [
      "you lack permission to patch secretproviderclasses shop/web; ask for it",
    ]);
    assert.match((await refreshed([])).report.problems[0], /does not exist/);
  });

  test("waits no longer than it is told, and ends with 1 where the worker has not answered", async () => {
    const { code, report } = await refreshed([CLASS, SECRET, STATUS, POD, FILES, ...csiDriver("v1.6.0")], {
      args: ["--wait", "--timeout", "0s"],
    });
    assert.deepEqual([code, report.isAnswered, report.isUpToDate], [1, false, false]);
  });

  test("R20-8: waits no longer than it is told though the machine's clock is set back meanwhile", async () => {
    let [wall, real] = [1_700_000_000_000, 0];
    const sleep = async (milliseconds: number): Promise<void> => {
      wall += milliseconds;
      real += milliseconds;
      if (real === 10_000) wall -= 1_800_000;
      assert.ok(real < 3_600_000, "it would wait forever");
    };
    const cluster = heldCluster([CLASS, SECRET, STATUS, POD, FILES, ...csiDriver("v1.6.0")]);
    Object.assign(cluster.kube, { mergePatch: async () => ({}) });
    const clock = { now: () => wall, monotonic: () => real, sleep };
    const { code } = await runOffline(["refresh", "web", "-n", "shop", "--wait", "--timeout", "60s"], "", { cluster, clock });

    assert.equal(code, 1);
    assert.ok(real < 65_000, `it has waited ${real} ms`);
  });

  test("of a class whose pods and Secrets have the answer is done at once", async () => {
    const { ["status"]: status } = STATUS as Manifest & { readonly status: object };
    // The clock of a command in a test does not advance.
    const answered = { ...STATUS, status: { ...status, observedRefresh: "2023-11-14T22:13:20.000Z" } };
    const { code, report } = await refreshed([CLASS, SECRET, answered, POD, FILES, ...csiDriver("v1.6.0")], { args: ["--wait"] });
    assert.deepEqual([code, report.isAnswered, report.isUpToDate], [0, true, true]);
  });

  test("waits for the worker's answer on a class that only pods mount, while its versions are followed for restarts", async () => {
    const only = usedClass("web", { objects: ["secret/db-pass"] });
    const answeredBy = (observedRefresh: string): Manifest => {
      const { ["status"]: status } = usedStatus("web", {}) as Manifest & { readonly status: object };
      const objects = [{ object: "secret/db-pass", version: VERSION, since: "2023-01-01T00:00:00Z" }];
      return Object.assign(usedStatus("web", {}), { status: { ...status, observedRefresh, objects } });
    };
    const waited = async (status: Manifest) => {
      const { code, report } = await refreshed([only, status, POD, FILES, ...csiDriver("v1.6.0")], { args: ["--wait", "--timeout", "0s"] });
      return [code, report.isAnswered, report.isUpToDate];
    };
    assert.deepEqual(await waited(answeredBy("an older one")), [1, false, false]);
    assert.deepEqual(await waited(answeredBy("2023-11-14T22:13:20.000Z")), [0, true, true]);
  });

  test("N2: is not done while a Secret is older than a file that a pod has", async () => {
    const { ["status"]: status } = STATUS as Manifest & { readonly status: object };
    const answered = { ...STATUS, status: { ...status, observedRefresh: "2023-11-14T22:13:20.000Z" } };
    const newer = usedPodStatus("web-1", { className: "web", versions: { "secret/db-pass": "b".repeat(32) }, writtenAt: 9 });
    const { code, report } = await refreshed([CLASS, SECRET, answered, POD, newer], { args: ["--wait", "--timeout", "0s"] });
    assert.deepEqual([code, report.answer.kind, report.isUpToDate, report.objects[0].secrets[0].state], [1, "synced", false, "old"]);
  });

  test("NC-16: knows the newest version from another class of the namespace, and lists nobody who uses that class alone", async () => {
    const confl = usedClass("confl", { objects: ["secret/db-pass"], secrets: { taken: { password: "db-pass" } } });
    const cluster = heldCluster([confl, usedStatus("confl", {}), CLASS, SECRET, STATUS, POD, FILES]);
    Object.assign(cluster.kube, { mergePatch: async () => ({}) });
    const { output } = await runOffline(["refresh", "confl", "-n", "shop"], "", { cluster });

    assert.match(output, new RegExp(`^ {2}newest version: ${VERSION}, seen `, "m"));
    assert.match(output, /^ {2}1 class: shop\/confl$/m);
    assert.doesNotMatch(output, /web-1|shop\/db\b/);
  });

  test("N11: does not wait for an answer that the user may not see", async () => {
    const cluster = heldCluster([CLASS, SECRET, POD, FILES, ...csiDriver("v1.6.0")]);
    const { kube } = cluster;
    const [read, list] = [kube.read.bind(kube), kube.list.bind(kube)];
    const refuse = ({ plural }: Resource): void => {
      if (plural === "secretproviderclasssyncs") throw new KubeError("Forbidden", "no", { retry: { kind: "never" } });
    };
    Object.assign(kube, {
      read: async (...call: Parameters<typeof read>) => (refuse(call[0]), read(...call)),
      list: async (...call: Parameters<typeof list>) => (refuse(call[0]), list(...call)),
      mergePatch: async () => ({}),
    });
    const { code, output } = await runOffline(["refresh", "web", "-n", "shop", "--wait", "--timeout", "0s"], "", { cluster });

    assert.equal(code, 1);
    assert.match(
      output,
      /the request was sent, but its result cannot be seen: you lack permission to get secretproviderclasssyncs shop\/web\n/,
    );
  });

  test("R18-14: is not done by an answer that came after the rest was listed", async () => {
    const { ["status"]: status } = STATUS as Manifest & { readonly status: object };
    const answered = { ...STATUS, status: { ...status, observedRefresh: "2023-11-14T22:13:20.000Z" } };
    const held: Manifest[] = [CLASS, SECRET, STATUS, POD, FILES, ...csiDriver("v1.6.0")];
    const { report } = await refreshed(held, {
      // The worker answers right after the command listed the pods.
      onList: ({ plural }) => void (plural === "pods" && held.splice(2, 1, answered)),
    });
    assert.deepEqual([report.isAnswered, report.isUpToDate], [false, false]);
  });

  test("refuses a time to wait without waiting, and one that is too long", async () => {
    assert.match((await refreshed([CLASS], { args: ["--timeout", "1m"] })).report.problems[0], /add --wait/);
    assert.match((await refreshed([CLASS], { args: ["--wait", "--timeout", "2h"] })).report.problems[0], /longer than 1h/);
  });
});
