import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { targetResource } from "../../src/cli/shared/resources.ts";
import { podRequestOf } from "../../src/domain/preflight/workload.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { runOffline } from "../support/cli/cli.ts";
import { at, listAt, readManifests } from "../support/cluster/shipped-manifests.ts";
import { aClass, aPod, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";

type Json = Readonly<Record<string, unknown>>;

const template = (annotations: Readonly<Record<string, string>>): Json => {
  const { metadata, spec } = aPod(annotations);
  return { metadata, spec };
};

const rollout = (spec: Json): Json => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind: "Rollout",
  metadata: { name: "web", namespace: "default" },
  spec,
});

const OF_WORKLOAD_REF = rollout({ workloadRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" } });

const render = (...objects: readonly object[]) =>
  runOffline(
    ["render", "--offline", "--fail-on-warnings", "-f", "-", "-o", "json"],
    objects.map((each) => JSON.stringify(each)).join("\n---\n"),
  );

const explain = (object: Json) => runOffline(["explain", "--offline", "-f", "-"], JSON.stringify(object));

describe("a Rollout of Argo Rollouts", () => {
  test("SW5: render injects its template, and refuses what the webhook would deny", async () => {
    const { code, output } = await render(aClass(), rollout({ template: template(OPTED_IN) }));
    const wrong = await render(aClass(), rollout({ template: template({ ...OPTED_IN, "mount-path": "relative" }) }));
    const misspelt = await render(aClass(), rollout({ template: template({ ...OPTED_IN, contaners: "app" }) }));

    assert.equal(code, 0);
    assert.equal(listAt(at(JSON.parse(output), "items", 1), "spec", "template", "spec", "volumes").length, 1);
    assert.equal(wrong.code, 1);
    assert.match(wrong.notes.join("\n"), /Rollout\/web: error: .*mount-path/);
    assert.equal(misspelt.code, 1);
    assert.match(misspelt.notes.join("\n"), /"contaners" is not a keyvault-injector.dev\/ annotation/);
  });

  test("SW5: explain explains its pods, and takes it as a kind", async () => {
    const { output } = await explain(rollout({ template: template(OPTED_IN) }));

    assert.match(output, /^rollout\/web .*Injected/m);
    for (const kind of ["rollout", "rollouts", "ro", "rollout.argoproj.io", "rollouts.v1alpha1.argoproj.io"])
      assert.equal(targetResource(kind), WORKLOADS.Rollout, kind);
  });

  test("SW5: with a workloadRef has no template of its own, and both commands say the truth", async () => {
    const { code, notes } = await render(OF_WORKLOAD_REF);
    const { output } = await explain(OF_WORKLOAD_REF);

    assert.deepEqual([code, notes], [0, []]);
    assert.match(output, /Rollout web uses the pod template of Deployment web \(spec\.workloadRef\): explain that object/);
  });

  test("SW5: the preflight receives it, and finds its template", () => {
    const [workloads] = readManifests("base/preflight-configuration.yaml").flatMap((each) => listAt(each, "webhooks"));
    const rules = listAt(workloads, "rules").filter((rule) => listAt(rule, "resources").includes("rollouts"));

    assert.deepEqual(rules, [
      {
        apiGroups: ["argoproj.io"],
        apiVersions: ["v1alpha1"],
        operations: ["CREATE", "UPDATE"],
        resources: ["rollouts"],
        scope: "Namespaced",
      },
    ]);
    const request = {
      uid: "1",
      operation: "CREATE" as const,
      resource: { group: "argoproj.io", version: "v1alpha1", resource: "rollouts" },
      subResource: undefined,
      namespace: "default",
      name: "web",
    };
    assert.ok(podRequestOf({ ...request, object: rollout({ template: template(OPTED_IN) }) }));
    assert.equal(podRequestOf({ ...request, object: OF_WORKLOAD_REF }), undefined);
  });
});

const SCALED_JOB: Json = {
  apiVersion: "keda.sh/v1alpha1",
  kind: "ScaledJob",
  metadata: { name: "queue", namespace: "default" },
  spec: { jobTargetRef: { template: template({ inject: "yes" }) } },
};
const KNATIVE: Json = {
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name: "web", namespace: "default" },
  spec: { template: template({ contaners: "app" }) },
};
const HELM_RELEASE: Json = {
  apiVersion: "helm.toolkit.fluxcd.io/v2",
  kind: "HelmRelease",
  metadata: { name: "web", namespace: "default" },
  spec: { values: { podAnnotations: prefixed({ inject: "true", "secret-provider-class": "shop" }) } },
};
const IN_LIST: Json = {
  apiVersion: "example.com/v1",
  kind: "Database",
  metadata: { name: "db", namespace: "default" },
  spec: { nodeSets: [{}, { podTemplate: { metadata: { labels: { "keyvault-injector.dev/inject": "true" } } } }] },
};

describe("a kind whose pod template no command knows", () => {
  for (const [object, place] of [
    [SCALED_JOB, "spec.jobTargetRef.template.metadata.annotations"],
    [KNATIVE, "spec.template.metadata.annotations"],
    [HELM_RELEASE, "spec.values.podAnnotations"],
    [IN_LIST, "spec.nodeSets[1].podTemplate.metadata.labels"],
  ] as const) {
    const kind = String(object["kind"]);

    test(`SW5: render warns that it did not look at the keys of ours in it: ${kind}`, async () => {
      const { code, output, notes } = await render(object);

      assert.equal(code, 1);
      assert.deepEqual(at(JSON.parse(output), "items", 0), object);
      assert.ok(
        notes.some((note) =>
          note.includes(`warning: ${place} is not checked, because this command does not know which pods a ${kind} creates: `),
        ),
        notes.join("\n"),
      );
    });

    test(`SW5: explain does not claim that it creates no pods: ${kind}`, async () => {
      const { output } = await explain(object);

      assert.doesNotMatch(output, /neither a kind that creates pods/);
      assert.ok(output.includes(`${place} is not checked, because this command does not know which pods a ${kind} creates`), output);
    });
  }

  test("SW5: nothing is said of keys that belong on other objects, or of none", async () => {
    const external: Json = {
      apiVersion: "external-secrets.io/v1",
      kind: "ExternalSecret",
      metadata: { name: "app" },
      spec: { target: { template: { metadata: { annotations: prefixed({ "adoptable-by": "app" }) } } } },
    };
    const service: Json = { apiVersion: "v1", kind: "Service", metadata: { name: "s", annotations: { a: "b" } }, spec: {} };

    assert.deepEqual((await render(external, service)).notes, []);
    assert.match((await explain(service)).output, /Service is not a class, and not a kind whose pods this command knows/);
  });

  test("ST11: is warned of by any mapping with a key for pods, whatever its name", async () => {
    const inject = prefixed({ inject: "true" });
    for (const [values, place] of [
      [{ podLabels: inject }, "spec.values.podLabels"],
      [{ worker: { pod: { extraAnnotations: inject } } }, "spec.values.worker.pod.extraAnnotations"],
      [{ workers: [{ podAnnotations: inject }] }, "spec.values.workers[0].podAnnotations"],
      [inject, "spec.values"],
    ] as const) {
      const { code, notes } = await render({ ...HELM_RELEASE, spec: { values } });
      assert.deepEqual([code, notes.length, notes[0]?.includes(`warning: ${place} is not checked`)], [1, 1, true], notes.join("\n"));
    }
  });

  test("ST11: nothing is said of selectors, which choose pods and create none", async () => {
    const labels = prefixed({ injected: "true", inject: "true" });
    const policy: Json = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "n" },
      spec: { podSelector: { matchLabels: labels } },
    };
    const service: Json = { apiVersion: "v1", kind: "Service", metadata: { name: "s" }, spec: { selector: labels } };

    assert.deepEqual((await render(policy, service)).notes, []);
  });
});
