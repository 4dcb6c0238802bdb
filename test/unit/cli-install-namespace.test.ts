import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ObjectRef, Resource } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";

const namespace = (name: string): Manifest => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
const worker = (name: string): Manifest => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { namespace: name, name: "keyvault-injector-sync", labels: { "app.kubernetes.io/name": "keyvault-injector" } },
});
const binding = (name: string, its = "keyvault-injector-sync"): Manifest => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: its },
  subjects: [{ kind: "ServiceAccount", name: "keyvault-injector-sync", namespace: name }],
});
const CLASS = usedClass("web", { objects: ["secret/db-pass"] });
const WORLD = [namespace("shop"), namespace("kvi"), CLASS];

const COMMANDS = [
  ["grants"],
  ["where"],
  ["where", "secret/db-pass"],
  ["doctor", "--no-vaults"],
  ["doctor", "class", "--no-vaults"],
  ["doctor", "plan"],
  ["refresh", "shop/web"],
  ["restore", "--list"],
  ["dashboard"],
  ["uninstall", "--prepare"],
] as const;

async function run(argv: readonly string[], objects: readonly Manifest[], { mayReadBindings = true } = {}) {
  const cluster = heldCluster(objects);
  const read = cluster.kube.read.bind(cluster.kube);
  Object.assign(cluster.kube, {
    mergePatch: async () => ({}),
    read: async (resource: Resource, ref: ObjectRef, signal: AbortSignal) => {
      if (!mayReadBindings && resource.plural === "clusterrolebindings")
        throw new KubeError("Forbidden", "no", { retry: { kind: "never" }, refuser: { kind: "rights" } });
      return read(resource, ref, signal);
    },
  });
  const { code, notes } = await runOffline(argv, "", { cluster });
  return { code, said: notes.join("\n") };
}

describe("an --install-namespace", () => {
  for (const argv of COMMANDS) {
    const named = (name: string): readonly string[] => [...argv, "--install-namespace", name];
    const start = `keyvault-injector ${argv[0]}: `;

    test(`NB6: that does not exist is an error of ${argv.join(" ")}`, async () => {
      const { code, said } = await run(named("nope"), WORLD);
      assert.deepEqual([code, said], [2, `${start}namespace nope does not exist; name the install's with --install-namespace`]);
    });

    test(`NB6: that does not exist is told with the one that is meant: ${argv.join(" ")}`, async () => {
      const { code, said } = await run(named("nope"), [...WORLD, worker("kvi"), binding("kvi")]);
      assert.deepEqual(
        [code, said],
        [2, `${start}namespace nope does not exist; keyvault-injector is installed in kvi: write --install-namespace kvi`],
      );
    });

    test(`A2: that does not exist is never told with a tenant's Deployment: ${argv.join(" ")}`, async () => {
      const { said } = await run(named("nope"), [...WORLD, worker("aaa"), worker("kvi"), binding("kvi")]);
      assert.match(said, /is installed in kvi: write --install-namespace kvi$/);
    });

    test(`A7: that does not exist is not told with a Deployment that no binding names: ${argv.join(" ")}`, async () => {
      const { code, said } = await run(named("nope"), [...WORLD, worker("aaa")]);
      assert.deepEqual([code, said], [2, `${start}namespace nope does not exist; name the install's with --install-namespace`]);
    });

    test(`A7: that does not exist is told with a Deployment, if the user may not read bindings: ${argv.join(" ")}`, async () => {
      const { said } = await run(named("nope"), [...WORLD, worker("kvi")], { mayReadBindings: false });
      assert.match(said, /is installed in kvi: write --install-namespace kvi$/);
    });

    // `uninstall` runs in the Job of the chart, which marks its own namespace and may not list Deployments.
    if (argv[0] === "uninstall") continue;

    test(`NB6: in which nothing is installed is told with the one that is meant: ${argv.join(" ")}`, async () => {
      const { code, said } = await run(named("shop"), [...WORLD, worker("kvi"), binding("kvi")]);
      assert.deepEqual([code, said], [2, `${start}keyvault-injector is installed in kvi, not in shop: write --install-namespace kvi`]);
    });
  }

  for (const argv of [["restore", "--list"], ["where"], ["refresh", "shop/web"]]) {
    test(`A2: in which only a tenant's Deployment has the label of an install is rejected: ${argv.join(" ")}`, async () => {
      const objects = [...WORLD, namespace("aaa"), worker("aaa"), worker("kvi"), binding("kvi")];
      const { code, said } = await run([...argv, "--install-namespace", "aaa"], objects);
      assert.equal(code, 2);
      assert.match(said, /keyvault-injector is installed in kvi, not in aaa: write --install-namespace kvi$/);
    });
  }

  test("RA6: in which only a tenant's Deployment has the label of an install that serves some namespaces is rejected", async () => {
    const objects = [...WORLD, namespace("aaa"), worker("aaa"), worker("kvi"), binding("kvi", "keyvault-injector-sync-cluster")];
    const { code, said } = await run(["restore", "--list", "--install-namespace", "aaa"], objects);
    assert.equal(code, 2);
    assert.match(said, /keyvault-injector is installed in kvi, not in aaa: write --install-namespace kvi$/);
  });

  for (const argv of [["grants"], ["where"], ["refresh", "shop/web"]]) {
    test(`NB6: in which the install is, or nobody knows of any, is taken: ${argv.join(" ")}`, async () => {
      for (const objects of [[...WORLD, worker("kvi")], [...WORLD, worker("kvi"), worker("shop")], WORLD])
        assert.doesNotMatch((await run([...argv, "--install-namespace", "kvi"], objects)).said, /install/);
    });
  }
});
