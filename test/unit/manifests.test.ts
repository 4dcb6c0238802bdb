import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import {
  AUTHORITY_ANNOTATIONS,
  CLASS_ANNOTATIONS,
  COPY_ANNOTATIONS,
  COPY_LABEL,
  GRANT_ANNOTATIONS,
  INJECTED_LABEL,
  MADE_FOR,
  MANAGED_LABEL,
  POD_ANNOTATIONS,
  PREFIX,
  RESTART_ANNOTATIONS,
  SECRET_ANNOTATIONS,
  SNAPSHOT_LABEL,
} from "../../src/domain/annotations.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { MOST_SHARDS, shardLease } from "../../src/domain/shards.ts";
import { VERSION } from "../../tools/repository-files.ts";
import { at, listAt, MANIFESTS, type Manifest, parseManifests, readManifests } from "../support/cluster/shipped-manifests.ts";

const read = (file: string): string => readFileSync(path.join(MANIFESTS, file), "utf8");
/** Excludes the chart's templates, which are not YAML before Helm renders them. */
const files = globSync("**/*.yaml", { cwd: MANIFESTS, exclude: ["helm/*/templates/**"] }).sort();
const installText = read(`releases/${VERSION}/keyvault-injector.yaml`);
const install = parseManifests(installText);
const crds = parseManifests(read(`releases/${VERSION}/crds.yaml`));

function find(kind: string, name: string): Manifest {
  const found = install.find((object) => object.kind === kind && object.metadata.name === name);
  assert.ok(found, `${kind} ${name}`);
  return found;
}

/** Variables that redirect traffic or add a trusted CA, and placeholders that an author forgot to replace. */
const LEFTOVERS = /<[A-Za-z-]+>|CHANGEME|TODO|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|HTTPS?_PROXY|NO_PROXY|AZURE_[A-Z_]+|caBundle:/;

describe("the manifests", () => {
  test("are all well-formed YAML, without a key given twice", () => {
    assert.ok(files.length > 20);
    for (const file of files) assert.doesNotThrow(() => parseManifests(read(file)), file);
    assert.throws(() => parseManifests("kind: Pod\nkind: Pod\n"));
  });

  test("SH-11: let the worker write the Leases of all shards that there can be, also of those it has no more", () => {
    const rules = listAt(find("Role", "keyvault-injector-sync"), "rules");
    const names = rules.filter((rule) => listAt(rule, "resources").includes("leases")).flatMap((rule) => listAt(rule, "resourceNames"));
    const shards = Array.from({ length: MOST_SHARDS }, (_, index) => shardLease("keyvault-injector-sync", index));

    assert.deepEqual(names, shards);
  });

  test("install exactly the objects that the documentation names", () => {
    const names = install.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? "-"} ${metadata.name}`).sort();

    assert.deepEqual(names, [
      "ClusterRole - keyvault-injector-components",
      "ClusterRole - keyvault-injector-instance",
      "ClusterRole - keyvault-injector-sync",
      "ClusterRole - keyvault-injector-view",
      "ClusterRole - keyvault-injector-webhook",
      "ClusterRoleBinding - keyvault-injector-components",
      "ClusterRoleBinding - keyvault-injector-instance",
      "ClusterRoleBinding - keyvault-injector-sync",
      "ClusterRoleBinding - keyvault-injector-webhook",
      "Deployment keyvault-injector keyvault-injector-sync",
      "Deployment keyvault-injector keyvault-injector-webhook",
      "MutatingWebhookConfiguration - keyvault-injector",
      "Namespace - keyvault-injector",
      "PodDisruptionBudget keyvault-injector keyvault-injector-sync",
      "PodDisruptionBudget keyvault-injector keyvault-injector-webhook",
      "PodTemplate keyvault-injector keyvault-injector-sync",
      "PodTemplate keyvault-injector keyvault-injector-webhook",
      "PriorityClass - keyvault-injector",
      "Role keyvault-injector keyvault-injector-components",
      "Role keyvault-injector keyvault-injector-sync",
      "Role keyvault-injector keyvault-injector-webhook",
      "RoleBinding keyvault-injector keyvault-injector-components",
      "RoleBinding keyvault-injector keyvault-injector-sync",
      "RoleBinding keyvault-injector keyvault-injector-webhook",
      "Service keyvault-injector keyvault-injector-webhook",
      "ServiceAccount keyvault-injector keyvault-injector-sync",
      "ServiceAccount keyvault-injector keyvault-injector-webhook",
      "ValidatingAdmissionPolicy - keyvault-injector-class-authors",
      "ValidatingAdmissionPolicy - keyvault-injector-class-identities",
      "ValidatingAdmissionPolicy - keyvault-injector-namespace-consents",
      "ValidatingAdmissionPolicy - keyvault-injector-one-instance",
      "ValidatingAdmissionPolicy - keyvault-injector-pod-volume",
      "ValidatingAdmissionPolicy - keyvault-injector-sync-classes",
      "ValidatingAdmissionPolicy - keyvault-injector-sync-components",
      "ValidatingAdmissionPolicy - keyvault-injector-sync-definitions",
      "ValidatingAdmissionPolicy - keyvault-injector-sync-gateways",
      "ValidatingAdmissionPolicy - keyvault-injector-sync-pods",
      "ValidatingAdmissionPolicy - keyvault-injector-sync-secrets",
      "ValidatingAdmissionPolicy - keyvault-injector-sync-snapshots",
      "ValidatingAdmissionPolicy - keyvault-injector-sync-tokens",
      "ValidatingAdmissionPolicy - keyvault-injector-sync-webhooks",
      "ValidatingAdmissionPolicy - keyvault-injector-sync-workloads",
      "ValidatingAdmissionPolicy - keyvault-injector-webhook-configuration",
      "ValidatingAdmissionPolicy - keyvault-injector-webhook-secrets",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-class-authors",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-class-identities",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-namespace-consents",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-one-instance",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-pod-volume",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-sync-classes",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-sync-components",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-sync-definitions",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-sync-gateways",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-sync-pods",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-sync-secrets",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-sync-snapshots",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-sync-tokens",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-sync-webhooks",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-sync-workloads",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-webhook-configuration",
      "ValidatingAdmissionPolicyBinding - keyvault-injector-webhook-secrets",
      "ValidatingWebhookConfiguration - keyvault-injector",
    ]);
  });

  test("leave nothing to fill in, and no variable that redirects traffic or trust", () => {
    assert.doesNotMatch(installText, LEFTOVERS);
    for (const planted of ["<key-vault-name>", "name: HTTPS_PROXY", "name: NODE_EXTRA_CA_CERTS", "AZURE_AUTHORITY_HOST"]) {
      assert.match(`${installText}\n${planted}`, LEFTOVERS);
    }
  });

  test("name only annotations and labels that the code knows", () => {
    const known = new Set<string>([
      ...Object.values(POD_ANNOTATIONS),
      ...Object.values(CLASS_ANNOTATIONS),
      ...Object.values(AUTHORITY_ANNOTATIONS),
      MADE_FOR,
      INJECTED_LABEL,
      MANAGED_LABEL,
      COPY_LABEL,
      SNAPSHOT_LABEL,
      ...Object.values(COPY_ANNOTATIONS),
      ...Object.values(SECRET_ANNOTATIONS),
      ...Object.values(GRANT_ANNOTATIONS),
      ...Object.values(RESTART_ANNOTATIONS),
      `${PREFIX}/v1alpha1`,
    ]);
    // Addresses of the project's pages contain neither.
    const named = new Set(
      files.flatMap((file) => read(file).match(/(?<!https:\/\/)(?:grants\.)?keyvault-injector\.dev\/[a-z0-9][a-z0-9-]*/g) ?? []),
    );

    assert.deepEqual(
      [...named].filter((key) => !known.has(key)),
      [],
    );
    assert.ok(named.has(MANAGED_LABEL) && named.has(SNAPSHOT_LABEL) && named.has(POD_ANNOTATIONS.inject));
  });
});

describe("the definitions", () => {
  test("are the three that the worker heals", () => {
    const expected = [RESOURCES.secretProviderClasses, RESOURCES.secretProviderClassSyncs].map(({ plural, group }) => `${plural}.${group}`);
    expected.push("secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io");

    assert.deepEqual(crds.map(({ metadata }) => metadata.name).sort(), expected.sort());
  });

  test("are kept by Helm, Flux and Argo CD, and stand in no overlay", () => {
    for (const { metadata } of crds) {
      assert.equal(metadata.annotations?.["helm.sh/resource-policy"], "keep");
      assert.equal(metadata.annotations?.["kustomize.toolkit.fluxcd.io/prune"], "disabled");
      assert.equal(metadata.annotations?.["argocd.argoproj.io/sync-options"], "Prune=false,Delete=false");
    }
    assert.equal(install.filter(({ kind }) => kind === "CustomResourceDefinition").length, 0);
  });

  test("differ between their two upstream versions only where upstream's do", () => {
    const [classes] = readManifests("crds/secretproviderclasses.yaml");
    const [statuses] = readManifests("crds/secretproviderclasspodstatuses.yaml");
    const schema = (crd: unknown, version: number): unknown =>
      at(crd, "spec", "versions", version, "schema", "openAPIV3Schema", "properties");

    assert.deepEqual(at(schema(classes, 0), "spec"), at(schema(classes, 1), "spec"));
    assert.deepEqual(Object.keys(Object(at(schema(classes, 1), "status", "properties"))), ["byPod"]);
    assert.equal(
      at(classes, "spec", "versions", 1, "deprecationWarning"),
      "secrets-store.csi.x-k8s.io/v1alpha1 is deprecated. Use secrets-store.csi.x-k8s.io/v1 instead.",
    );
    assert.deepEqual(schema(statuses, 0), schema(statuses, 1));
    assert.equal(at(statuses, "spec", "versions", 1, "deprecated"), true);
    assert.equal(at(statuses, "spec", "versions", 1, "deprecationWarning"), undefined);
    for (const crd of [classes, statuses]) assert.equal(crd?.metadata.annotations?.["controller-gen.kubebuilder.io/version"], "v0.16.3");
  });
});

describe("the webhook configuration", () => {
  const configuration = find("MutatingWebhookConfiguration", "keyvault-injector");
  const entry = at(configuration, "webhooks", 0);

  test("has the one entry that fails open, soon, and away from what the webhook itself needs", () => {
    assert.equal(listAt(configuration, "webhooks").length, 1);
    const { matchConditions, ...rest } = Object(entry) as Readonly<Record<string, unknown>>; // A YAML mapping.
    assert.equal(listAt(matchConditions).length, 1);
    assert.deepEqual(rest, {
      name: "pods.keyvault-injector.dev",
      admissionReviewVersions: ["v1"],
      clientConfig: { service: { name: "keyvault-injector-webhook", namespace: "keyvault-injector", path: "/mutate/pods", port: 443 } },
      failurePolicy: "Ignore",
      matchPolicy: "Equivalent",
      namespaceSelector: {
        matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system", "keyvault-injector"] }],
      },
      reinvocationPolicy: "IfNeeded",
      rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"], scope: "Namespaced" }],
      sideEffects: "None",
      timeoutSeconds: 5,
    });
  });

  test("NC-22: calls the webhook for our keys among the labels of a pod without a controller", () => {
    const [condition] = listAt(entry, "matchConditions");
    const ofOurs = "exists(key, key.startsWith('keyvault-injector.dev/'))";
    const hasController = "object.metadata.?ownerReferences.orValue([]).exists(owner, owner.?controller.orValue(false))";
    assert.deepEqual(condition, {
      name: "has-annotation-of-ours",
      expression: [
        `object.metadata.?annotations.orValue({}).${ofOurs} ||`,
        `(object.metadata.?labels.orValue({}).${ofOurs} &&`,
        `!${hasController})`,
      ].join(" "),
    });
  });

  test("covers the same pods as the policy behind it", () => {
    const constraints = at(find("ValidatingAdmissionPolicy", "keyvault-injector-pod-volume"), "spec", "matchConstraints");
    assert.deepEqual(at(constraints, "namespaceSelector"), at(entry, "namespaceSelector"));
    assert.deepEqual(at(constraints, "resourceRules"), at(entry, "rules"));
  });
});

describe("the roles", () => {
  test("say of every rule why it is there", () => {
    for (const file of ["base/webhook-rbac.yaml", "base/sync-rbac.yaml"]) {
      const lines = read(file).split("\n");
      const bare = lines.flatMap((line, index) =>
        line.startsWith("  - apiGroups") && !lines[index - 1]?.startsWith("  #") ? [index + 1] : [],
      );
      assert.deepEqual(bare, [], file);
    }
  });

  test("hold no wildcard, no escalation and no impersonation", () => {
    for (const role of install) {
      if (role.kind !== "ClusterRole" && role.kind !== "Role") continue;
      const words = listAt(role, "rules").flatMap((rule) => Object.values(Object(rule)).flat());
      for (const word of ["*", "escalate", "bind", "impersonate", "deletecollection", "pods/exec"]) {
        assert.ok(!words.includes(word), `${role.metadata.name}: ${word}`);
      }
      // The policy keyvault-injector-sync-tokens limits this permission.
      if (words.includes("serviceaccounts/token")) assert.equal(role.metadata.name, "keyvault-injector-sync");
    }
  });
});

describe("the examples", () => {
  const examples = files.filter((file) => file.startsWith("examples/"));

  test("ask for the document's placeholders and no others", () => {
    const named = new Set(examples.flatMap((file) => read(file).match(/<[^>]+>/g) ?? []));
    assert.deepEqual([...named].sort(), ["<client-id>", "<client-secret>", "<key-vault-name>", "<tenant-Id>"]);
  });

  test("hold the document's class, with its empty cloudName", () => {
    const [example] = readManifests("examples/secretproviderclass.yaml");
    const { objects, ...parameters } = Object(at(example, "spec", "parameters")) as Readonly<Record<string, unknown>>; // A YAML mapping.

    assert.equal(example?.metadata.name, "akvprovider-demo");
    assert.deepEqual(parameters, { usePodIdentity: "false", keyvaultName: "<key-vault-name>", cloudName: null, tenantId: "<tenant-Id>" });
    const items: unknown[] = listAt(parse(String(objects)), "array").map((item) => parse(String(item)));
    assert.deepEqual(items, [{ objectName: "DemoSecret", objectType: "secret", objectVersion: "" }]);
  });

  test("hold the document's pod, and one that asks for the same by annotations", () => {
    const [pod] = readManifests("examples/pod.yaml");
    const [annotated] = readManifests("examples/pod-annotated.yaml");

    assert.deepEqual(at(pod, "spec", "volumes"), [
      {
        name: "secrets-store-inline",
        csi: {
          driver: "secrets-store.csi.k8s.io",
          readOnly: true,
          volumeAttributes: { secretProviderClass: "akvprovider-demo" },
          nodePublishSecretRef: { name: "secrets-store-creds" },
        },
      },
    ]);
    const { volumeMounts, ...container } = Object(at(pod, "spec", "containers", 0)) as Readonly<Record<string, unknown>>; // A YAML mapping.
    assert.deepEqual(volumeMounts, [{ name: "secrets-store-inline", mountPath: "/mnt/secrets-store", readOnly: true }]);
    assert.deepEqual(at(annotated, "spec"), { containers: [container] });
    assert.deepEqual(annotated?.metadata.annotations, {
      [POD_ANNOTATIONS.inject]: "true",
      [POD_ANNOTATIONS.secretProviderClass]: "akvprovider-demo",
    });
  });
});
