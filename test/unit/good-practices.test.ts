import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { PREFIX } from "../../src/domain/annotations.ts";

// @ts-expect-error -- plain JavaScript without declarations: it runs on Node 20, before anything is installed.
import { kubernetesVersion } from "../../tools/bootstrap/control-plane-assets.mjs";
import { REPOSITORY, readRepositoryFile } from "../../tools/repository-files.ts";
import { API_SERVER_VERSIONS } from "../support/cluster/api-server-versions.ts";
import { at, listAt, type Manifest, readManifests } from "../support/cluster/shipped-manifests.ts";

// Good practices of admission webhooks that the manifests' sources show: see docs/evidence/good-practices.md.

const one = (file: string, kind: string, name?: string): Manifest => {
  const found = readManifests(file).find((object) => object.kind === kind && (name === undefined || object.metadata.name === name));
  assert.ok(found, `${kind} in ${file}`);
  return found;
};

const mutating = one("base/webhook-configuration.yaml", "MutatingWebhookConfiguration");
const preflight = one("base/preflight-configuration.yaml", "ValidatingWebhookConfiguration");
const deployment = one("base/webhook.yaml", "Deployment");
const podSpec = at(deployment, "spec", "template", "spec");
const entries = [mutating, preflight].flatMap((configuration) => listAt(configuration, "webhooks"));
const pods = at(mutating, "webhooks", 0);
const excluded = (entry: unknown): readonly unknown[] => listAt(entry, "namespaceSelector", "matchExpressions", 0, "values");

/** Runs the check on each webhook of the install. */
function ofEach(check: (entry: unknown, name: string) => void): void {
  assert.ok(entries.length >= 3);
  for (const entry of entries) check(entry, String(at(entry, "name")));
}

describe("each webhook", () => {
  test("has a small timeout of its own, stated", () => {
    ofEach((entry, name) => assert.ok(Number(at(entry, "timeoutSeconds")) <= 5, name));
  });

  test("matches equivalent versions too", () => {
    ofEach((entry, name) => assert.equal(at(entry, "matchPolicy"), "Equivalent", name));
  });

  test("fails open", () => ofEach((entry, name) => assert.equal(at(entry, "failurePolicy"), "Ignore", name)));

  test("is narrowed by conditions that the API server evaluates", () => {
    ofEach((entry, name) => assert.ok(listAt(entry, "matchConditions").length > 0, name));
    assert.match(String(at(pods, "matchConditions", 0, "expression")), /startsWith\('keyvault-injector\.dev\/'\)/);
  });

  test("is limited by namespace", () => {
    ofEach((entry, name) => {
      assert.equal(at(entry, "namespaceSelector", "matchExpressions", 0, "key"), "kubernetes.io/metadata.name", name);
      assert.equal(at(entry, "namespaceSelector", "matchExpressions", 0, "operator"), "NotIn", name);
    });
  });

  test("leaves kube-system alone, and everything but pods and the workloads and classes that it warns about", () => {
    const allowed = [
      "pods",
      "deployments",
      "statefulsets",
      "daemonsets",
      "replicasets",
      "jobs",
      "cronjobs",
      "rollouts",
      "secretproviderclasses",
    ];
    ofEach((entry, name) => {
      assert.ok(excluded(entry).includes("kube-system"), name);
      for (const rule of listAt(entry, "rules")) {
        assert.equal(at(rule, "scope"), "Namespaced", name);
        for (const resource of listAt(rule, "resources")) assert.ok(allowed.includes(String(resource)), `${name}: ${String(resource)}`);
      }
    });
  });

  test("leaves the install's own namespace alone", () => {
    ofEach((entry, name) => assert.ok(excluded(entry).includes(String(deployment.metadata.namespace)), name));
  });

  test("is one path of one server behind one Service", () => {
    const services = new Set(
      entries.map(
        (entry) => `${String(at(entry, "clientConfig", "service", "name"))}:${String(at(entry, "clientConfig", "service", "port"))}`,
      ),
    );
    assert.deepEqual([...services], ["keyvault-injector-webhook:443"]);
    assert.equal(listAt(mutating, "webhooks").length, 1);
  });

  test("is registered for the stable version of the review", () => {
    ofEach((entry, name) => assert.deepEqual(listAt(entry, "admissionReviewVersions"), ["v1"], name));
  });

  test("declares no side effects, and its account could have none on what it sees", () => {
    ofEach((entry, name) => assert.equal(at(entry, "sideEffects"), "None", name));
    const seen = new Set(entries.flatMap((entry) => listAt(entry, "rules").flatMap((rule) => listAt(rule, "resources"))));
    const rights = readManifests("base/webhook-rbac.yaml").flatMap((role) => listAt(role, "rules"));
    const onSeen = rights.filter((rule) => listAt(rule, "resources").some((resource) => seen.has(resource)));
    assert.deepEqual(
      onSeen.flatMap((rule) => listAt(rule, "verbs")).filter((verb) => !/^(get|list|watch)$/.test(String(verb))),
      [],
    );
  });

  test("can be applied before its server runs: it holds no CA and stops nothing until then", () => {
    ofEach((entry, name) => {
      assert.equal(at(entry, "clientConfig", "caBundle"), undefined, name);
      assert.equal(at(entry, "failurePolicy"), "Ignore", name);
    });
    assert.match(readRepositoryFile("docs/how-to/install.md"), /## One namespace first/);
  });
});

describe("the mutating webhook", () => {
  test("is asked again when a later webhook changed the pod", () => assert.equal(at(pods, "reinvocationPolicy"), "IfNeeded"));

  test("sees the creation of pods and nothing that our own processes write", () => {
    assert.deepEqual(
      listAt(pods, "rules").map((rule) => [at(rule, "operations"), at(rule, "resources")]),
      [[["CREATE"], ["pods"]]],
    );
    const written = ["base/webhook-rbac.yaml", "base/sync-rbac.yaml"]
      .flatMap((file) => readManifests(file))
      .flatMap((role) => listAt(role, "rules"))
      .filter((rule) => listAt(rule, "verbs").some((verb) => /create|update|patch/.test(String(verb))))
      .flatMap((rule) => listAt(rule, "resources"));
    assert.ok(written.includes("secrets") && !written.includes("pods"));
  });
});

describe("the server", () => {
  test("runs twice behind its Service, and one replica is always there to answer", () => {
    assert.equal(at(deployment, "spec", "replicas"), 2);
    assert.equal(at(deployment, "spec", "strategy", "rollingUpdate", "maxUnavailable"), 0);
    assert.deepEqual(at(one("base/webhook.yaml", "Service"), "spec", "selector"), at(deployment, "spec", "selector", "matchLabels"));
  });

  test("is spread over zones and nodes, kept by a disruption budget, and of a priority of its own", () => {
    const spread = listAt(podSpec, "topologySpreadConstraints").map((constraint) => at(constraint, "topologyKey"));
    assert.deepEqual(spread, ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]);
    assert.equal(at(one("base/webhook.yaml", "PodDisruptionBudget"), "spec", "maxUnavailable"), 1);
    assert.equal(at(podSpec, "priorityClassName"), one("base/priority-class.yaml", "PriorityClass").metadata.name);
  });

  test("needs neither itself, nor the driver, nor another webhook to start", () => {
    const annotations = Object(at(deployment, "spec", "template", "metadata", "annotations")) as Readonly<Record<string, unknown>>;
    assert.deepEqual(
      Object.keys(annotations).filter((key) => key.startsWith(`${PREFIX}/`)),
      [],
    );
    for (const field of ["volumes", "initContainers", "hostNetwork"]) assert.equal(at(podSpec, field), undefined, field);
    assert.ok(excluded(pods).includes(String(deployment.metadata.namespace)));
  });
});

describe("around the webhooks", () => {
  const policies = listAt(readManifests("policies/kustomization.yaml")[0], "resources").map(String);

  test("what an expression can decide is decided in the API server, and denied there", () => {
    for (const file of [
      "pod-volume.yaml",
      "class-identities.yaml",
      "webhook-configuration.yaml",
      "webhook-secrets.yaml",
      "sync-secrets.yaml",
    ]) {
      assert.ok(policies.includes(file), file);
      const binding = one(`policies/${file}`, "ValidatingAdmissionPolicyBinding");
      assert.deepEqual(at(binding, "spec", "validationActions"), ["Deny"], file);
      assert.equal(at(one(`policies/${file}`, "ValidatingAdmissionPolicy"), "spec", "failurePolicy"), "Fail", file);
    }
  });

  test("our own kind is validated by its schema alone: every field has a type, and no webhook or policy looks at it", () => {
    const crd = one("crds/secretproviderclasssyncs.yaml", "CustomResourceDefinition");
    const schemas = listAt(crd, "spec", "versions").map((version) => at(version, "schema", "openAPIV3Schema"));
    assert.ok(schemas.length > 0);
    for (const schema of schemas) assert.deepEqual(untypedFields(schema, ""), []);
    const seen = entries.flatMap((entry) => listAt(entry, "rules").flatMap((rule) => listAt(rule, "resources")));
    assert.ok(!seen.includes("secretproviderclasssyncs"));
  });

  test("the tests run on the current API server and on the oldest promised one", () => {
    const modules = ["test/control-plane", "test/control-plane/1.34"].map((folder) => path.join(REPOSITORY, folder));
    const built = modules.map((module) => /^v(\d+\.\d+)/.exec(String(kubernetesVersion(module)))?.[1]);
    assert.deepEqual(built, [...API_SERVER_VERSIONS]);
    assert.equal(new Set(built).size, 2);
    for (const suite of ["policies", "class-authors", "manifests-versions", "webhook-rights"]) {
      assert.match(readRepositoryFile(`test/integration/${suite}.test.ts`), /of API_SERVER_VERSIONS\)/, suite);
    }
  });

  test("alerts are shipped on what the API server counts about these webhooks", () => {
    assert.ok(existsSync(path.join(REPOSITORY, "manifests/components/monitoring/alerts/kustomization.yaml")));
    const rules = listAt(one("components/monitoring/alerts/admission.yaml", "PrometheusRule"), "spec", "groups", 0, "rules");
    const expressions = rules.map((rule) => String(at(rule, "expr"))).join("\n");
    for (const metric of ["apiserver_admission_webhook_rejection_count", "apiserver_admission_webhook_fail_open_count"]) {
      assert.ok(expressions.includes(metric), metric);
    }
    const matcher = new RegExp(`^${/name=~"([^"]+)"/.exec(expressions)?.[1] ?? "-"}$`);
    ofEach((entry, name) => assert.match(String(at(entry, "name")), matcher, name));
  });
});

/** Returns the paths of fields without a type, and of fields that accept members that the schema does not define. */
function untypedFields(schema: unknown, where: string): readonly string[] {
  const own = at(schema, "type") === undefined || at(schema, "x-kubernetes-preserve-unknown-fields") === true ? [where] : [];
  const properties = Object.entries(Object(at(schema, "properties")) as Readonly<Record<string, unknown>>);
  const items = at(schema, "items");
  return [
    ...own,
    ...properties.flatMap(([name, property]) => untypedFields(property, `${where}.${name}`)),
    ...(items === undefined ? [] : untypedFields(items, `${where}[]`)),
  ];
}
