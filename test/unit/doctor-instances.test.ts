import assert from "node:assert/strict";
import { test } from "node:test";
import type { DoctorContext } from "../../src/cli/doctor/checks/check.ts";
import { checkInstances } from "../../src/cli/doctor/checks/install.ts";
import { holding } from "../support/worker/held-objects.ts";

const NAMESPACE = "keyvault-injector";

const labelled = (namespace: string) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "keyvault-injector-sync", namespace, labels: { "app.kubernetes.io/name": "keyvault-injector" } },
});

const bindingOf = (namespace: string, name = "keyvault-injector-sync") => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name },
  subjects: [{ kind: "ServiceAccount", name: "keyvault-injector-sync", namespace }],
});

const LIMITED = bindingOf(NAMESPACE, "keyvault-injector-sync-cluster");

for (const { what, objects, expected } of [
  { what: "the only one", objects: [bindingOf(NAMESPACE)], expected: ["OK"] },
  { what: "a tenant's Deployment with its label beside it", objects: [bindingOf(NAMESPACE), labelled("team")], expected: ["WARN"] },
  { what: "RA6: the same for an install that serves some namespaces", objects: [LIMITED, labelled("team")], expected: ["WARN"] },
  { what: "a second one that took the binding", objects: [bindingOf("team"), labelled("team")], expected: ["FAIL", "FAIL"] },
  { what: "a second one, and no binding to go by", objects: [labelled("team")], expected: ["FAIL"] },
]) {
  test(`A2: doctor judges an install by the worker's binding: ${what}`, async () => {
    const viewer = holding([labelled(NAMESPACE), ...objects]);
    // The check uses only these two.
    const results = await checkInstances({ viewer, namespace: NAMESPACE } as DoctorContext);
    const states = results.map(({ state }) => state);
    assert.deepEqual(states, expected, JSON.stringify(results));
  });
}

test("RA9: doctor does not advise the namespace in use, where only a tenant's Deployment is left", async () => {
  const viewer = holding([bindingOf(NAMESPACE), labelled("team")]);
  const results = await checkInstances({ viewer, namespace: NAMESPACE } as DoctorContext);
  assert.deepEqual(
    results.map(({ state, fix }) => [state, fix]),
    [["SKIP", "see the check deployments"]],
  );
});
