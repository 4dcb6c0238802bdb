import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readManifests } from "../../src/cli/manifest/documents.ts";
import type { Cluster } from "../../src/cli/shared/command.ts";
import type { KubeObject, ObjectRef, Resource } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { runOffline } from "../support/cli/cli.ts";
import { at } from "../support/cluster/shipped-manifests.ts";
import { aClass, aPod, OPTED_IN } from "../support/fixtures/pods.ts";

const CREDENTIALS = ["spec", "volumes", 0, "csi", "nodePublishSecretRef", "name"] as const;

const refused = () => Promise.reject(new Error("nobody else"));

const NAMESPACE: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } };

/** A cluster that contains only these objects and the namespace. */
function clusterOf(...objects: readonly KubeObject[]): Cluster {
  const read = async ({ kind }: Resource, { name }: ObjectRef) => {
    const object = [NAMESPACE, ...objects].find((each) => each.kind === kind && each.metadata.name === name);
    return object === undefined ? { kind: "absent" } : { kind: "found", object };
  };
  const kube = { read } as unknown as KubeClient; // The code makes no other calls.
  return {
    kube,
    server: "https://held of context held",
    namespace: "default",
    actAs: refused,
    watcher: refused,
    close: async () => undefined,
  };
}

describe("render with a cluster", () => {
  const rendered = (cluster: Cluster, pod: object) =>
    runOffline(["render", "-f", "-", "--fail-on-warnings"], [aClass(), pod].map((each) => JSON.stringify(each)).join("\n---\n"), {
      cluster,
    });
  const note =
    "note: this cluster injects nothing, because no MutatingWebhookConfiguration keyvault-injector with pods.keyvault-injector.dev exists: " +
    "the output shows what an install would add; see keyvault-injector doctor";

  test("D11: says that our webhook is not on it, which fails nothing", async () => {
    const { code, output, notes } = await rendered(clusterOf(), aPod(OPTED_IN));

    assert.deepEqual([code, notes], [0, [note]]);
    assert.match(output, /secretProviderClass: akvprovider-demo/);
  });

  test("D11: says nothing of the webhook where it is there, or nothing is injected", async () => {
    const configuration = {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: { name: "keyvault-injector" },
      webhooks: [{ name: "pods.keyvault-injector.dev" }],
    };

    assert.deepEqual((await rendered(clusterOf(configuration), aPod(OPTED_IN))).notes, []);
    assert.deepEqual((await rendered(clusterOf(), aPod({}))).notes, []);
  });
});

describe("render where a policy injects", () => {
  const references = (output: string): readonly unknown[] =>
    readManifests("-", output).documents.flatMap(({ object }) => at(object, ...CREDENTIALS) ?? []);
  const workload = aClass({ clientID: "c" });
  const policy = (kind: string) => ({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind,
    metadata: { name: "keyvault-injector-injection" },
    spec: { policyName: "keyvault-injector-injection" },
  });

  test("adds a reference to every class, as the policy does, and says so", async () => {
    const input = [workload, aPod(OPTED_IN)].map((each) => JSON.stringify(each)).join("\n---\n");
    const cluster = clusterOf(policy("MutatingAdmissionPolicy"), policy("MutatingAdmissionPolicyBinding"));
    const byCluster = await runOffline(["render", "-f", "-"], input, { cluster });
    const asked = await runOffline(["render", "--offline", "--injection-mode=policy", "-f", "-"], input);
    const byWebhook = await runOffline(["render", "--offline", "-f", "-"], input);

    for (const { output, notes } of [byCluster, asked]) {
      assert.deepEqual(references(output), ["secrets-store-creds"]);
      assert.match(notes.join("\n"), /^note: a policy injects, and it does not read classes/m);
      assert.doesNotMatch(notes.join("\n"), /injects nothing/);
    }
    assert.deepEqual(references(byWebhook.output), []);
  });

  test("refuses a mode that there is not", async () => {
    const { code, notes } = await runOffline(["render", "--offline", "--injection-mode=policies", "-f", "-"], "");

    assert.equal(code, 2);
    assert.match(notes.join("\n"), /--injection-mode: "policies" is not a valid mode; write one of webhook, policy, both/);
  });
});
