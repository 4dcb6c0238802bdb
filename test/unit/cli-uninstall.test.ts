import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Cluster } from "../../src/cli/shared/command.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";

const object = (kind: string, name: string): Manifest => ({ apiVersion: "v1", kind, metadata: { name } });

/** An install with a Namespace and the policy, in a cluster whose user may read these kinds. */
function clusterFor(...readable: readonly string[]): Cluster {
  const held = heldCluster([object("Namespace", "keyvault-injector"), object("MutatingAdmissionPolicy", "keyvault-injector-injection")]);
  const read: KubeClient["read"] = async (resource, ref, signal) => {
    if (!readable.includes(resource.kind))
      throw new KubeError("Forbidden", `you lack permission to get ${resource.kind}`, { retry: { kind: "never" } });
    return held.kube.read(resource, ref, signal);
  };
  return { ...held, kube: { ...held.kube, read, mergePatch: async () => undefined } as unknown as KubeClient }; // The command makes no other calls.
}

const NEEDED = ["Namespace", "Deployment", "ValidatingAdmissionPolicyBinding"];

describe("uninstall --prepare", () => {
  test("AT6: needs no right to the policy that injects: the chart's Job has none", async () => {
    const { code, output } = await runOffline(["uninstall", "--prepare"], "", { cluster: clusterFor(...NEEDED) });

    assert.equal(code, 0);
    assert.match(output, /kubectl delete -k manifests\/overlays\/default /);
  });

  test("AT6: names the overlay of the policy where it is there", async () => {
    const { output } = await runOffline(["uninstall", "--prepare"], "", { cluster: clusterFor(...NEEDED, "MutatingAdmissionPolicy") });

    assert.match(output, /kubectl delete -k manifests\/overlays\/policy /);
  });

  test("is told apart from one that may not read the Namespace", async () => {
    assert.equal((await runOffline(["uninstall", "--prepare"], "", { cluster: clusterFor("Deployment") })).code, 2);
  });
});
