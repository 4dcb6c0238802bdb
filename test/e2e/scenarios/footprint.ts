import assert from "node:assert/strict";
import { forbidden } from "../../support/cluster/audit.ts";
import { eventually } from "../../support/time/eventually.ts";
import { INJECTOR_NAMESPACE } from "../support/install.ts";
import { type ContainerUsage, containerUsage } from "../support/pod-usage.ts";
import type { Scenarios } from "../support/scenarios.ts";
import { pod, reader } from "../support/workloads.ts";
import type { World } from "../support/world.ts";

const NAMESPACE = `--namespace=${INJECTOR_NAMESPACE}`;

export function footprintScenarios(scenario: Scenarios, world: () => World): void {
  scenario.run("our four pods have not restarted, in a namespace that enforces PodSecurity restricted", async () => {
    const { node } = world();
    assert.equal(await restarts(world()), "0 0 0 0");
    const enforced = "--output=jsonpath={.metadata.labels.pod-security\\.kubernetes\\.io/enforce}";
    assert.equal(await node.kubectl(["get", "namespace", INJECTOR_NAMESPACE, enforced]), "restricted");
    // The control: a pod without our security settings.
    await assert.rejects(
      node.kubectl(["apply", NAMESPACE, "--filename=-"], JSON.stringify(pod("unrestricted", { containers: [reader()] }))),
      /violates PodSecurity "restricted:latest"/,
    );
  });

  scenario.run("image size, memory and CPU of our processes are measured", async () => {
    const { node, image } = world();
    console.log(`footprint: image keyvault-injector: ${Math.round(image.layerBytes / 1e6)} MB unpacked`);
    const ours = await eventually(() => usageOfOurs(world()), { within: 30_000, every: 1_000, what: "the kubelet's figures of our pods" });
    for (const usage of ours) console.log(describeUsage(usage));
    const components = Object.entries(node.memory()).map(([name, bytes]) => `${name} ${Math.round(bytes / 1e6)}`);
    console.log(`footprint: the node's own in MB: ${components.join(", ")}`);
    for (const { container, memory } of ours) assert.ok(memory < 256e6, `${container} is near the webhook's limit`);
  });
}

/** Runs after all scenarios that need our processes, because it also checks their requests. */
export function conductScenarios(scenario: Scenarios, world: () => World): void {
  scenario.run("our ServiceAccounts were refused nothing, and our pods have not restarted", async () => {
    const entries = world()
      .audit()
      .filter(({ user }) => user.startsWith(`system:serviceaccount:${INJECTOR_NAMESPACE}:`));
    const users = new Set(entries.map(({ user }) => user.split(":").at(-1)));
    assert.deepEqual(users, new Set(["keyvault-injector-sync", "keyvault-injector-webhook"]));
    console.log(`audit: ${entries.length} requests of our two ServiceAccounts`);
    assert.deepEqual(forbidden(entries), []);
    assert.equal(await restarts(world()), "0 0 0 0");
  });
}

function restarts({ node }: World): Promise<string> {
  return node.kubectl(["get", "pods", NAMESPACE, "--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}"]);
}

async function usageOfOurs({ node }: World): Promise<readonly ContainerUsage[] | undefined> {
  const ours = (await containerUsage(node)).filter(({ namespace }) => namespace === INJECTOR_NAMESPACE);
  return ours.length === 4 ? ours : undefined;
}

function describeUsage({ pod: name, memory, cpuSeconds }: ContainerUsage): string {
  return `footprint: ${name}: ${Math.round(memory / 1e6)} MB, ${cpuSeconds.toFixed(1)} s of one core since its start`;
}
