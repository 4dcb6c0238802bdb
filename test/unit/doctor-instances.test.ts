import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DoctorContext } from "../../src/cli/doctor/checks/check.ts";
import { checkInstalled, checkInstances } from "../../src/cli/doctor/checks/install.ts";
import type { Viewer, ViewResult } from "../../src/cli/shared/viewer.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type Resource } from "../../src/domain/kubernetes.ts";
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
  { what: "A7: a second Deployment, which no binding names", objects: [labelled("team")], expected: ["WARN"] },
]) {
  test(`A2: doctor judges an install by the worker's binding: ${what}`, async () => {
    const viewer = holding([labelled(NAMESPACE), ...objects]);
    // The check uses only these two.
    const results = await checkInstances({ viewer, namespace: NAMESPACE } as DoctorContext);
    const states = results.map(({ state }) => state);
    assert.deepEqual(states, expected, JSON.stringify(results));
  });
}

/** The viewer of a user who may not read ClusterRoleBindings. */
function withoutBindings(viewer: Viewer): Viewer {
  const refused = { kind: "unseen", why: "you lack permission to get clusterrolebindings" } as const;
  return {
    ...viewer,
    object: async <T extends KubeObject>(resource: Resource, ref: ObjectRef): Promise<ViewResult<T>> =>
      resource === RESOURCES.clusterRoleBindings ? refused : viewer.object<T>(resource, ref),
  };
}

test("A2: doctor judges an install by its Deployments, if the user may not read the binding", async () => {
  const viewer = withoutBindings(holding([labelled(NAMESPACE), labelled("team")]));
  const results = await checkInstances({ viewer, namespace: NAMESPACE } as DoctorContext);
  assert.deepEqual(
    results.map(({ state, message }) => `${state} ${message}`),
    ["FAIL there is a second instance in namespace team: both write the same Secrets"],
  );
});

describe("A7: doctor takes for an install", () => {
  const WEBHOOK = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "keyvault-injector" },
  };
  const findings = async (viewer: Viewer) =>
    (await checkInstalled({ viewer, namespace: NAMESPACE })).map(({ state, message }) => `${state} ${message}`);

  for (const [what, bindings] of [
    ["that no binding names", []],
    ["where the binding names another namespace", [bindingOf(NAMESPACE)]],
  ] as const) {
    test(`no Deployment with its label ${what}, and says so`, async () => {
      assert.deepEqual(await findings(holding([labelled("team"), ...bindings])), [
        "FAIL keyvault-injector is not installed in this cluster; namespace team has a Deployment with the label of an install, but no ClusterRoleBinding of the worker names that namespace",
      ]);
    });
  }

  for (const [what, objects] of [
    ["a Deployment that the binding names", [labelled(NAMESPACE), bindingOf(NAMESPACE)]],
    ["a Deployment that the binding of an install for some namespaces names", [labelled(NAMESPACE), LIMITED]],
    ["a webhook configuration whose binding is missing", [labelled(NAMESPACE), WEBHOOK]],
  ] as const) {
    test(what, async () => {
      assert.deepEqual(await findings(holding(objects)), ["OK keyvault-injector is installed in this cluster"]);
    });
  }

  test("a Deployment, if the user may not read the binding", async () => {
    assert.deepEqual(await findings(withoutBindings(holding([labelled(NAMESPACE)]))), [
      "OK keyvault-injector is installed in this cluster",
    ]);
  });
});

test("RA9: doctor does not advise the namespace in use, where only a tenant's Deployment is left", async () => {
  const viewer = holding([bindingOf(NAMESPACE), labelled("team")]);
  const results = await checkInstances({ viewer, namespace: NAMESPACE } as DoctorContext);
  assert.deepEqual(
    results.map(({ state, fix }) => [state, fix]),
    [["SKIP", "see the check deployments"]],
  );
});
