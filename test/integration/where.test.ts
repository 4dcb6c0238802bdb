import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { openCluster } from "../../src/cli/compose.ts";
import { RESOURCES, type Secret } from "../../src/domain/kubernetes.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { runOnline } from "../support/cli/cli.ts";
import { type ControlPlane, controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import { nextSecond } from "../support/time/wall-clock.ts";
import { askNow, classOf, createClass, dataOf, reasonIs, type SyncWorld, startSyncWorld } from "../support/worker/sync-world.ts";
import { mountFiles, STYLES, startPod, type UsedPod } from "./used-cluster.ts";

const refusal = controlPlaneRefusal();

/** The namespaces, and those whose class also syncs a Secret. */
const NAMESPACES = ["shop", "billing", "batch", "closed"] as const;
const MIRRORED: readonly string[] = ["shop", "billing", "closed"];
const PODS_EACH = 50;
const OBJECT = "db-pass";

let world: SyncWorld;
let otherVault: string;
let driver: string;
let pods: readonly UsedPod[];

const vaultOf = (namespace: string): string => (namespace === "billing" ? otherVault : world.vault);

/** Returns all versions of the object in a vault, oldest first, from the vault itself. */
async function versionsIn(vault: string): Promise<readonly string[]> {
  return (await world.emulator.secretVersions({ vault, name: OBJECT })).map(({ version }) => version);
}

/** Returns the value of a version: the vault's name, and the index of the version. */
const valueIn = (vault: string, place: number): string => `${vault}-${place}`;

async function inTens<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += 10) await Promise.all(items.slice(start, start + 10).map(act));
}

async function startPods(from: number, to: number): Promise<readonly UsedPod[]> {
  const wanted = NAMESPACES.flatMap((namespace) => Array.from({ length: to - from }, (_, index) => ({ namespace, index: from + index })));
  const made: UsedPod[] = [];
  await inTens(wanted, async ({ namespace, index }) => {
    const style = MIRRORED.includes(namespace) ? (STYLES[index % STYLES.length] ?? "env") : "mount";
    made.push(await startPod(world.plane, namespace, `pod-${index}`, style));
  });
  return made;
}

/** Updates a mount to the vault's current version, as the driver's next sync does. */
async function mountNow(mounting: readonly UsedPod[]): Promise<void> {
  const current = new Map<string, string>();
  for (const vault of [world.vault, otherVault]) current.set(vault, (await versionsIn(vault)).at(-1) ?? "");
  await inTens(mounting, async (pod) =>
    mountFiles(world.plane, driver, pod, { [`secret/${OBJECT}`]: current.get(vaultOf(pod.namespace)) ?? "" }),
  );
}

const mounting = (all: readonly UsedPod[]): readonly UsedPod[] => all.filter(({ style }) => style === "mount");

async function given(plane: ControlPlane): Promise<void> {
  otherVault = `${world.vault}-b`;
  await world.emulator.createVault({ name: otherVault, tenantId: world.tenantId });
  await world.emulator.grant({ vault: otherVault, appId: world.principal.appId, permissions: ["get"] });
  for (const vault of [world.vault, otherVault]) await world.emulator.setSecret({ vault, name: OBJECT, value: valueIn(vault, 0) });
  await world.product.start("sync", { args: ["--rotation-poll-interval=24h"], within: 180_000 });
  for (const namespace of NAMESPACES) {
    await plane.kubectl(["create", "namespace", namespace]);
    const credentials = [`--from-literal=clientid=${world.principal.appId}`, `--from-literal=clientsecret=${world.principal.clientSecret}`];
    await plane.kubectl(["create", "secret", "generic", "secrets-store-creds", "-n", namespace, ...credentials]);
    const secretObjects = MIRRORED.includes(namespace)
      ? [{ secretName: "db", type: "Opaque", data: [{ objectName: OBJECT, key: "password" }] }]
      : [];
    const facts = { namespace, name: "web", objects: [OBJECT], secretObjects };
    await createClass(plane, classOf({ vault: vaultOf(namespace), tenantId: world.tenantId }, facts));
    if (MIRRORED.includes(namespace)) await reasonIs(plane, { namespace, name: "web" }, "Synced");
  }
}

/** Rotates both vaults, and updates the Secrets and two thirds of the mounts. The Secret of namespace `closed` stays old. */
async function rotate(first: readonly UsedPod[]): Promise<void> {
  await nextSecond();
  for (const vault of [world.vault, otherVault]) await world.emulator.rotateSecret({ vault, name: OBJECT, value: valueIn(vault, 1) });
  for (const namespace of ["shop", "billing"]) {
    await askNow(world.plane, { namespace, name: "web" });
    await eventually(async () => (await dataOf(world.plane, namespace, "db"))?.["password"] === valueIn(vaultOf(namespace), 1), {
      what: `the new Secret of ${namespace}`,
      within: 60_000,
    });
    await eventually(
      async () => (await world.plane.kubectl(["get", "spcsync", "web", "-n", namespace, "-o", "json"])).includes('"since"'),
      { what: `the new status of ${namespace}`, within: 60_000 },
    );
  }
  await nextSecond();
  await mountNow(mounting(first).filter((_, index) => index % 3 !== 0));
}

/** Returns `namespace/pod via version state` for every container, from the content that it received at its start or has now. */
async function expected(namespaces: readonly string[], vault: string): Promise<readonly string[]> {
  const versions = await versionsIn(vault);
  const newest = versions.at(-1) ?? "";
  const versionOf = (value: string | undefined): string => versions.find((_, place) => value === valueIn(vault, place)) ?? "";
  const lines: string[] = [];
  for (const pod of pods.filter(({ namespace }) => namespaces.includes(namespace) && vaultOf(namespace) === vault)) {
    const { namespace, name, style, started } = pod;
    const held =
      style === "mount"
        ? await mountedIn(pod)
        : versionOf(style === "volume" ? (await dataOf(world.plane, namespace, "db"))?.["password"] : started);
    const via = style === "part" ? "volume" : style;
    lines.push(`${namespace}/${name} ${via} ${held} ${held === newest ? "current" : "old"}`);
  }
  return lines.sort();
}

async function mountedIn({ namespace, name }: UsedPod): Promise<string> {
  const args = [
    "get",
    "secretproviderclasspodstatuses",
    `${name}-${namespace}-web`,
    "-n",
    namespace,
    "-o",
    "jsonpath={.status.objects[0].version}",
  ];
  return world.plane.kubectl(args);
}

interface Reported {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly via: string;
  readonly version?: string;
  readonly state: string;
  readonly evidence: string;
}

/** Clock that is three minutes ahead: by then a kubelet has copied each Secret into its volumes. */
const LATER = { ...systemClock, now: () => systemClock.now() + 180_000 };

async function whereIs(vault: string, kubeconfig = world.plane.kubeconfigPath) {
  const { code, output, notes } = await runOnline(["where", `secret/${OBJECT}`, "--vault", vault, "-o", "json"], kubeconfig, {
    clock: LATER,
  });
  const report = JSON.parse(output);
  return { code, notes, object: report.objects[0], containers: (report.objects[0]?.containers ?? []) as readonly Reported[] };
}

/**
 * Formats the reported containers. The command cannot tell the version of a container that is older than its Secret's version, so this uses
 * the expected version.
 */
function lines(containers: readonly Reported[], wanted: readonly string[]): readonly string[] {
  const byPlace = new Map(wanted.map((line) => [line.split(" ").slice(0, 2).join(" "), line.split(" ")[2] ?? ""]));
  return containers
    .map(({ namespace, pod, container, via, version, state, evidence }) => {
      assert.equal(container, "app");
      const place = `${namespace}/${pod} ${via}`;
      const known = evidence === "started-before" ? byPlace.get(place) : version;
      return `${place} ${known ?? ""} ${state}`;
    })
    .sort();
}

describe("where, on a cluster of 200 pods", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    await given(world.plane);
    await world.plane.kubectl(["apply", "-f", path.join(MANIFESTS, "components/csi-driver/rbac.yaml")]);
    driver = await serviceAccountToken(world.plane, "kube-system", "secrets-store-csi-driver");
    await nextSecond();
    const first = await startPods(0, PODS_EACH - 20);
    await mountNow(mounting(first));
    await rotate(first);
    const later = await startPods(PODS_EACH - 20, PODS_EACH);
    await mountNow(mounting(later));
    pods = [...first, ...later];
  });
  after(async () => {
    await world?.stop();
  });

  test("says of every container what it got, as the vault and kubectl have it", async () => {
    assert.equal(pods.length, 200);
    let reported = 0;
    for (const vault of [world.vault, otherVault]) {
      const wanted = await expected(NAMESPACES, vault);
      const { code, containers, object, notes } = await whereIs(vault);

      assert.deepEqual(lines(containers, wanted), wanted);
      assert.deepEqual([code, notes, object.current.version], [1, [], (await versionsIn(vault)).at(-1)]);
      reported += containers.length;
    }
    assert.equal(reported, 200);
  });

  test("has old ones and current ones of every kind among them", async () => {
    const all = [...(await expected(NAMESPACES, world.vault)), ...(await expected(NAMESPACES, otherVault))];
    for (const via of ["env", "envFrom", "volume", "mount"]) {
      for (const state of ["current", "old"])
        assert.ok(
          all.some((line) => line.includes(` ${via} `) && line.endsWith(` ${state}`)),
          `${via} ${state}`,
        );
    }
  });

  test("says of every Secret what it holds", async () => {
    const versions = await versionsIn(world.vault);
    const { object } = await whereIs(world.vault);
    for (const { namespace, name, keys, version, state } of object.secrets) {
      const value = (await dataOf(world.plane, namespace, name))?.[keys[0]];
      assert.equal(value, valueIn(world.vault, versions.indexOf(version)), `${namespace}/${name}`);
      assert.equal(state, version === versions.at(-1) ? "current" : "old");
    }
    assert.deepEqual(
      object.secrets.map(({ namespace }: Reported) => namespace),
      ["closed", "shop"],
    );
  });

  test("reads of Secrets the metadata alone", async () => {
    const cluster = await openCluster({ kubeconfig: world.plane.kubeconfigPath, context: undefined }, "test");
    const listed = async (metadataOnly: boolean): Promise<readonly Secret[]> =>
      cluster.kube.list<Secret>(RESOURCES.secrets, { namespace: "shop", metadataOnly }, new AbortController().signal);

    const [whole, bare] = [await listed(false), await listed(true)];
    await cluster.close();

    assert.ok(whole.some(({ data }) => data?.["password"] !== undefined));
    assert.deepEqual(
      bare.map((secret) => Object.keys(secret).sort()),
      bare.map(() => ["apiVersion", "kind", "metadata"]),
    );
    assert.deepEqual(
      bare.map(({ kind, metadata }) => [kind, metadata.name]),
      whole.map(({ kind, metadata }) => [kind, metadata.name]),
    );
  });

  test("takes what a user may see, and says what not", async () => {
    const rules = [
      "secretproviderclasses.secrets-store.csi.x-k8s.io",
      "secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io",
      "secretproviderclasssyncs.keyvault-injector.dev",
      "pods",
      "secrets",
    ];
    await world.plane.kubectl(["create", "serviceaccount", "reader", "-n", "shop"]);
    await world.plane.kubectl(["create", "clusterrole", "reader", "--verb=list", ...rules.map((rule) => `--resource=${rule}`)]);
    await world.plane.kubectl(["create", "clusterrole", "namespaces", "--verb=list", "--resource=namespaces"]);
    await world.plane.kubectl(["create", "clusterrolebinding", "reader", "--clusterrole=namespaces", "--serviceaccount=shop:reader"]);
    for (const namespace of ["shop", "billing", "batch"])
      await world.plane.kubectl([
        "create",
        "rolebinding",
        "reader",
        "-n",
        namespace,
        "--clusterrole=reader",
        "--serviceaccount=shop:reader",
      ]);
    const kubeconfig = await world.plane.kubeconfigFor({ namespace: "shop", name: "reader" });
    const wanted = await expected(["shop", "billing", "batch"], world.vault);

    const { containers, notes } = await whereIs(world.vault, kubeconfig);

    assert.deepEqual(lines(containers, wanted), wanted);
    assert.ok(
      notes.includes("note: you lack permission to list secretproviderclasses in closed: the answer does not include them"),
      notes.join("\n"),
    );
  });

  test("goes by the status of a class where a user may not list Secrets", async () => {
    await world.plane.kubectl(["create", "serviceaccount", "viewer", "-n", "shop"]);
    await world.plane.kubectl([
      "create",
      "clusterrole",
      "viewer",
      "--verb=list",
      "--resource=secretproviderclasses.secrets-store.csi.x-k8s.io",
      "--resource=secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io",
      "--resource=secretproviderclasssyncs.keyvault-injector.dev",
      "--resource=pods",
    ]);
    await world.plane.kubectl(["create", "clusterrolebinding", "viewer", "--clusterrole=viewer", "--serviceaccount=shop:viewer"]);
    const kubeconfig = await world.plane.kubeconfigFor({ namespace: "shop", name: "viewer" });

    const { object, notes } = await whereIs(otherVault, kubeconfig);

    assert.deepEqual(
      [object.secrets[0].evidence, object.secrets[0].state, object.secrets[0].version],
      ["class-status", "current", (await versionsIn(otherVault)).at(-1)],
    );
    assert.deepEqual(notes, ["note: you lack permission to list secrets in billing: the answer does not include them"]);
  });

  test("takes a few lists for the whole answer", async () => {
    const lists = world.plane.audit().filter(({ user, verb }) => user === "system:serviceaccount:shop:viewer" && verb === "list");
    console.log(
      `where: ${lists.length} lists for one answer in one namespace, pages included: ${lists.map(({ uri }) => uri.split("?")[0]).join(" ")}`,
    );
    assert.ok(lists.length > 0 && lists.length <= 8);
  });
});
