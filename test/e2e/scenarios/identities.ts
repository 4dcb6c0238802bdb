import assert from "node:assert/strict";
import { eventually } from "../../support/time/eventually.ts";
import { clusterOf } from "../support/cluster.ts";
import { federatedApplication } from "../support/federation.ts";
import { object, opaque, providerClass } from "../support/provider-class.ts";
import type { Scenarios } from "../support/scenarios.ts";
import { ANNOTATIONS, pod, READ_SECRET, shell } from "../support/workloads.ts";
import { VAULT, type World } from "../support/world.ts";

/** Each identity mode, with one class: once through the driver and the provider in a pod, and once through our worker in a Secret. */
export function identityScenarios(scenario: Scenarios, world: () => World): void {
  const cluster = clusterOf(world);

  /** Asserts that the pod and the Secret get the vault's secret. */
  async function assertReads(name: string, parameters: Readonly<Record<string, string>>, serviceAccountName: string): Promise<void> {
    const { node } = world();
    const secretObjects = [opaque(name, "DemoSecret")];
    await cluster.apply(providerClass(world(), name, { objects: [object("DemoSecret")], secretObjects, parameters }));
    const annotations = { ...ANNOTATIONS, "keyvault-injector.dev/secret-provider-class": name };
    const container = shell("printer", READ_SECRET);
    await cluster.apply(pod(name, { containers: [container], restartPolicy: "Never", annotations, serviceAccountName }));
    await node.kubectl(["wait", "--for=jsonpath={.status.phase}=Succeeded", `pod/${name}`, "--timeout=60s"]);

    const printed = await node.kubectl(["logs", name]);
    console.log(printed);
    assert.equal(printed, "MyExampleSecret");
    const reference = "--output=jsonpath={.spec.volumes[*].csi.nodePublishSecretRef.name}";
    assert.equal(await node.kubectl(["get", "pod", name, reference]), "", "no credentials Secret is involved");

    const mirrored = await eventually(() => cluster.secretKey(name, "password"), {
      within: 30_000,
      every: 250,
      what: `the Secret of ${name}`,
    });
    assert.equal(mirrored, "MyExampleSecret");
    await node.kubectl(["wait", "--for=create", `spcsync/${name}`, "--timeout=20s"]);
    await node.kubectl(["wait", "--for=condition=Synced", `spcsync/${name}`, "--timeout=20s"]);
  }

  scenario.run("with workload identity, a pod and the worker exchange tokens of the pod's ServiceAccount", async () => {
    const { node } = world();
    await node.kubectl(["create", "serviceaccount", "identified"]);
    await node.kubectl(["annotate", "namespace", "default", "--overwrite", "grants.keyvault-injector.dev/service-accounts=identified"]);
    const appId = await federatedApplication(world(), { serviceAccount: "identified", permissions: ["get"] });

    await assertReads("by-workload-identity", { clientID: appId }, "identified");
  });

  scenario.run("with a managed identity, the provider's pod and the worker's ask the node's metadata service", async () => {
    const { emulator, node, walk } = world();
    await node.kubectl(["annotate", "namespace", "default", "--overwrite", "grants.keyvault-injector.dev/managed-identity=allowed"]);
    const { appId } = await emulator.createManagedIdentity({ kind: "user", tenantId: walk.values["tenant-Id"] });
    await emulator.grant({ vault: VAULT, appId, permissions: ["get"] });

    await assertReads("by-managed-identity", { useVMManagedIdentity: "true", userAssignedIdentityID: appId }, "default");

    const asked = (await emulator.requests()).filter(({ host, identity }) => host === "169.254.169.254" && identity === appId);
    assert.ok(asked.length >= 2, `${asked.length} requests to the metadata service`);
  });
}
