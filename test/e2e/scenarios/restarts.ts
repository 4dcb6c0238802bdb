import assert from "node:assert/strict";
import { clusterOf } from "../support/cluster.ts";
import { SECRET_FILE } from "../support/document-walk.ts";
import { INJECTOR_NAMESPACE, injectorReady } from "../support/install.ts";
import type { Scenarios } from "../support/scenarios.ts";
import { VAULT, type World } from "../support/world.ts";
import { using } from "./life-cycle.ts";

const CLASS = "akvprovider-demo";
const OLD = "before-the-restarts";

/** Running pods keep their files, and new pods get theirs, although a part of the system is briefly missing. */
export function restartScenarios(scenario: Scenarios, world: () => World): void {
  const cluster = clusterOf(world);
  const system = clusterOf(world, "kube-system");
  const ours = clusterOf(world, INJECTOR_NAMESPACE);

  /** Asserts that the old pod still has its file, and that a new pod gets it. */
  const assertBoth = async (newPod: string): Promise<void> => {
    assert.equal(await cluster.read(OLD, SECRET_FILE), "MyExampleSecret");
    await cluster.apply(using(newPod, CLASS));
    await cluster.wait(`pod/${newPod}`, "condition=Ready");
    assert.equal(await cluster.read(newPod, SECRET_FILE), "MyExampleSecret");
    await cluster.kubectl("delete", "pod", newPod, "--wait=false");
  };

  scenario.run("a node whose kubelet and containerd are restarted goes on with the same containers", async () => {
    const { node } = world();
    await cluster.apply(using(OLD, CLASS));
    await cluster.wait(`pod/${OLD}`, "condition=Ready");
    const container = await cluster.field(`pod/${OLD}`, ".status.containerStatuses[0].containerID");

    await node.restart("containerd", "kubelet");
    await node.kubectl(["wait", "--for=condition=Ready", `node/${node.name}`, "--timeout=60s"]);
    await cluster.until("the kubelet's second start in its log", async () => node.logs("kubelet").split("Kubelet version").length > 2);

    await assertBoth("after-the-kubelet");
    assert.equal(await cluster.field(`pod/${OLD}`, ".status.containerStatuses[0].containerID"), container);
  });

  for (const [what, label, daemonSet] of [
    ["CSI driver", "app=csi-secrets-store", "csi-secrets-store"],
    ["Azure provider", "app=csi-secrets-store-provider-azure", "csi-secrets-store-provider-azure"],
  ] as const) {
    scenario.run(`with the ${what}'s pod replaced, a pod from before keeps its file and follows the vault, a new one mounts`, async () => {
      const before = await system.kubectl("get", "pods", `--selector=${label}`, "--output=jsonpath={.items[*].metadata.uid}");
      assert.notEqual(before, "");
      await system.kubectl("delete", "pods", `--selector=${label}`);
      assert.equal(await cluster.read(OLD, SECRET_FILE), "MyExampleSecret", "nothing takes it away meanwhile");
      await system.kubectl("rollout", "status", `daemonset/${daemonSet}`, "--timeout=60s");
      assert.notEqual(await system.kubectl("get", "pods", `--selector=${label}`, "--output=jsonpath={.items[*].metadata.uid}"), before);

      await assertBoth(`after-the-${daemonSet}`);
      const { emulator } = world();
      await emulator.rotateSecret({ vault: VAULT, name: "DemoSecret", value: "Rotated" });
      await cluster.until("the rotated file", async () => (await cluster.read(OLD, SECRET_FILE)) === "Rotated");
      await emulator.rotateSecret({ vault: VAULT, name: "DemoSecret", value: "MyExampleSecret" });
      await cluster.until("the file as it was", async () => (await cluster.read(OLD, SECRET_FILE)) === "MyExampleSecret");
    });
  }

  scenario.run("our pods are evicted one after the other: the budget keeps one serving, and no pod is missed", async () => {
    for (const component of ["webhook", "sync"]) {
      const [first = "", second = ""] = await podsOf(component);
      await evict(first);
      // The control: the budget rejects the second eviction until the first pod's replacement is ready.
      await assert.rejects(evict(second), /disruption budget|429|TooManyRequests/);
      await cluster.apply(using(`during-${component}`, CLASS));
      assert.equal(await cluster.field(`pod/during-${component}`, ".metadata.labels.keyvault-injector\\.dev/injected"), "true");
      await injectorReady(world().node);
      await evict(second);
      await injectorReady(world().node);
      assert.ok((await podsOf(component)).every((name) => name !== first && name !== second));
      await cluster.wait(`pod/during-${component}`, "condition=Ready");
      await cluster.kubectl("delete", "pod", `during-${component}`, "--wait=false");
    }
    await assertBoth("after-the-evictions");
    await cluster.remove(`pod/${OLD}`);
  });

  /** Names of pods that are not being deleted. */
  async function podsOf(component: string): Promise<readonly string[]> {
    const text = await ours.kubectl("get", "pods", `--selector=app.kubernetes.io/component=${component}`, "--output=json");
    const { items } = JSON.parse(text) as { items: { metadata: { name: string; deletionTimestamp?: string } }[] }; // The API server's own object.
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.name);
  }

  async function evict(name: string): Promise<void> {
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: INJECTOR_NAMESPACE } };
    const url = `/api/v1/namespaces/${INJECTOR_NAMESPACE}/pods/${name}/eviction`;
    await world().node.kubectl(["create", "--raw", url, "--filename=-"], JSON.stringify(eviction));
  }
}
