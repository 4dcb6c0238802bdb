import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { aClass } from "../support/fixtures/pods.ts";

const WHERE = { namespace: "shop", name: "bound" };
const SPEC = {
  ...aClass({ useAzureTokenProxy: "true", clientID: "app-1" }).spec,
  secretObjects: [{ secretName: "app", type: "Opaque", data: [{ objectName: "a", key: "k" }] }],
};
const CLASS: Manifest = Object.assign(
  { spec: SPEC },
  { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass", metadata: { ...WHERE, generation: 1 } },
);

const states = async (synced: "True" | "False"): Promise<readonly string[]> => {
  const condition = { type: "Synced", status: synced, reason: synced === "True" ? "Synced" : "IdentityUnavailable", message: "m" };
  const status = { observedGeneration: 1, observedClassGeneration: 1, secrets: [], conditions: [condition] };
  const reported = { apiVersion: "keyvault-injector.dev/v1alpha1", kind: "SecretProviderClassSync", metadata: WHERE, status };
  const cluster = heldCluster([{ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } }, CLASS, reported]);
  const { output } = await runOffline(["explain", "spc/bound", "-n", "shop", "-o", "json"], "", { cluster });
  const [{ steps }] = JSON.parse(output).explanations;
  return steps
    .filter(({ topic }: { topic: string }) => topic === "class" || topic === "identity")
    .map(({ state, message }: { state: string; message: string }) => `${state}: ${message}`);
};

describe("a class with an identity binding in a cluster", () => {
  test("P16: has no problem where the worker syncs it, and asks for its Secrets by the binding, too", async () => {
    assert.deepEqual(await states("True"), [
      "ok: SecretProviderClass bound exists",
      "ok: class bound accesses the vault as the application app-1, with an identity binding",
    ]);
  });

  test("P16: has one where the worker does not", async () => {
    const [, problem, identity] = await states("False");

    assert.match(problem ?? "", /^problem: .*set --identity-bindings=true/);
    assert.match(identity ?? "", /^ok: volumes of class bound access the vault .*; its Secrets are not synced$/);
  });
});
