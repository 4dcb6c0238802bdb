import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { INSTALL_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { copyOf, managerOf, ownersAfterHealing } from "../../src/domain/healing/component-copy.ts";
import { componentDrift } from "../../src/domain/healing/component-drift.ts";
import { componentsOf } from "../../src/domain/healing/components.ts";
import { type DeletionFacts, deletionVerdict } from "../../src/domain/healing/deletion.ts";
import { comparedFields, ownedPart } from "../../src/domain/healing/owned-fields.ts";
import { isMarked, NO_WORKER } from "../../src/domain/healing/uninstall-marker.ts";
import type { KubeObject, ManagedFieldsEntry } from "../../src/domain/kubernetes.ts";
import { otherInstance } from "../../src/kube/one-instance.ts";
import { readRepositoryFile, VERSION } from "../../tools/repository-files.ts";
import { type Manifest, parseManifests, readManifests } from "../support/cluster/shipped-manifests.ts";

const NAMESPACE = "keyvault-injector";
const SERVICE = componentsOf(NAMESPACE).find(({ id }) => id === `Service ${NAMESPACE}/keyvault-injector-webhook`);

const FIELDS = {
  "f:metadata": { "f:labels": { ".": {}, "f:app.kubernetes.io/name": {} } },
  "f:spec": {
    "f:ports": { ".": {}, 'k:{"port":443,"protocol":"TCP"}': { ".": {}, "f:name": {}, "f:port": {} } },
    "f:selector": {},
  },
};

const entry = (changes: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry => ({
  manager: "kubectl",
  operation: "Apply",
  time: "2026-11-25T00:00:00Z",
  fieldsV1: FIELDS,
  ...changes,
});

function service(changes: { readonly spec?: object; readonly metadata?: object } = {}): KubeObject {
  const metadata = { name: "keyvault-injector-webhook", namespace: NAMESPACE, labels: { "app.kubernetes.io/name": "keyvault-injector" } };
  const spec = {
    clusterIP: "10.0.0.1",
    selector: { app: "webhook" },
    ports: [{ name: "admission", port: 443, protocol: "TCP", targetPort: 443 }],
    ...changes.spec,
  };
  return Object.assign(
    { apiVersion: "v1", kind: "Service" },
    { metadata: { ...metadata, managedFields: [entry()], ...changes.metadata }, spec },
  );
}

function taken(live = service()) {
  assert.ok(SERVICE !== undefined);
  const copy = copyOf(SERVICE, live);
  assert.ok(copy !== undefined);
  return copy;
}

describe("the part of an object that somebody owns", () => {
  test("has the fields that are named, whole values where none is named below, and the keys of list items", () => {
    assert.deepEqual(ownedPart(service(), comparedFields([entry()])), {
      metadata: { labels: { "app.kubernetes.io/name": "keyvault-injector" } },
      spec: { ports: [{ port: 443, protocol: "TCP", name: "admission" }], selector: { app: "webhook" } },
    });
  });

  test("has items of sets, and none that are gone", () => {
    const fields = { "f:spec": { "f:modes": { 'v:"a"': {}, 'v:"b"': {} } } };
    assert.deepEqual(ownedPart({ spec: { modes: ["b", "c"] } }, fields), { spec: { modes: ["b"] } });
    assert.equal(ownedPart({ spec: { modes: ["c"] } }, fields), undefined);
  });

  test("leaves out what the webhook's replicas and controllers write, whoever is said to own it, and what is empty without it", () => {
    const fieldsV1 = {
      "f:metadata": { "f:annotations": { "f:deprecated.daemonset.template.generation": {} }, "f:finalizers": {} },
      "f:webhooks": { 'k:{"name":"a"}': { ".": {}, "f:name": {}, "f:clientConfig": { "f:caBundle": {} } } },
    };
    assert.deepEqual(comparedFields([entry({ fieldsV1 })]), { "f:webhooks": { 'k:{"name":"a"}': { ".": {}, "f:name": {} } } });
  });
});

describe("the drift of a component", () => {
  test("is none where only defaults, status, allocations and fields of others differ", () => {
    const live = service({
      spec: { clusterIP: "10.0.0.9", sessionAffinity: "None" },
      metadata: { resourceVersion: "9", annotations: { "somebody.example/x": "y" } },
    });
    assert.deepEqual(componentDrift(taken(), live), { kind: "untouched" });
  });

  test("names the field of an edit and its last writer, and no value", () => {
    const { "f:selector": _taken, ...left } = FIELDS["f:spec"];
    const managedFields = [
      entry({ fieldsV1: { ...FIELDS, "f:spec": left } }),
      { manager: "kubectl-edit", operation: "Update", time: "2026-11-25T00:01:00Z", fieldsV1: { "f:spec": { "f:selector": {} } } } as const,
    ];
    const live = service({ spec: { selector: { app: "evil" } }, metadata: { managedFields } });
    assert.deepEqual(componentDrift(taken(), live), { kind: "edited", fields: ["spec.selector.app"], by: "kubectl-edit" });
  });

  test("is an installer's wish where an installer has written since, whatever it changed", () => {
    const managedFields = [entry({ time: "2026-11-25T00:05:00Z" })];
    assert.deepEqual(componentDrift(taken(), service({ spec: { selector: {} }, metadata: { managedFields } })), { kind: "installed" });
    const other = [entry(), entry({ manager: "helm" })];
    assert.deepEqual(componentDrift(taken(), service({ metadata: { managedFields: other } })), { kind: "installed" });
  });

  test("is an installer's wish also within the second of its last one: what it still owns, nobody else has changed", () => {
    assert.deepEqual(componentDrift(taken(), service({ spec: { selector: { app: "next" } } })), { kind: "installed" });
  });

  test("is an edit where the record of owners was wiped, and nothing else", () => {
    const drift = componentDrift(taken(), service({ metadata: { managedFields: [] } }));
    assert.equal(drift.kind, "edited");
  });

  test("is unknown without a copy for what is of others, or was made by no installer", () => {
    assert.deepEqual(componentDrift(undefined, service({ metadata: { labels: {} } })), { kind: "unknown" });
    const byHand = [entry({ manager: "kubectl-create", operation: "Update" })];
    assert.deepEqual(componentDrift(undefined, service({ metadata: { managedFields: byHand } })), { kind: "unknown" });
    assert.deepEqual(componentDrift(undefined, undefined), { kind: "unknown" });
    assert.deepEqual(componentDrift(undefined, service()), { kind: "installed" });
  });

  test("is a deletion or a termination with a copy", () => {
    assert.deepEqual(componentDrift(taken(), undefined), { kind: "deleted" });
    const live = service({ metadata: { deletionTimestamp: "2026-11-25T00:00:00Z", finalizers: ["foregroundDeletion"] } });
    assert.deepEqual(componentDrift(taken(), live), { kind: "terminating", finalizers: ["foregroundDeletion"] });
  });
});

describe("the owners after a repair", () => {
  test("are the installers' as they were, and of others what the API server says, without the traces of the repair", () => {
    const copy = taken(service({ metadata: { managedFields: [entry({ manager: "kubectl-client-side-apply", operation: "Update" })] } }));
    const status = { manager: "kube-controller-manager", operation: "Update", subresource: "status" } as const;
    const applied = [
      entry({ manager: "kubectl-client-side-apply", time: "2026-11-25T01:00:00Z" }),
      entry({ manager: "keyvault-injector-sync", operation: "Update" }),
      entry({ manager: "keyvault-injector-webhook" }),
      status,
    ];

    assert.equal(managerOf(copy), "kubectl-client-side-apply");
    assert.deepEqual(ownersAfterHealing(copy, { applied, healer: "keyvault-injector-sync", removed: {} }), [
      ...copy.owners,
      entry({ manager: "keyvault-injector-webhook" }),
      status,
    ]);
  });
});

describe("a deletion", () => {
  const facts: DeletionFacts = {
    isOwnDeployment: false,
    absentFor: 10_000,
    isNamespaceAlive: true,
    isOwnDeploymentAlive: true,
    isPrepared: false,
    areRightsWhole: true,
  };

  test("is undone after 10 seconds", () => {
    assert.deepEqual(deletionVerdict(facts), { kind: "restore" });
    assert.deepEqual(deletionVerdict({ ...facts, absentFor: 9_000 }), { kind: "wait", milliseconds: 1_000 });
  });

  test("stays where anything says uninstall, however early or late", () => {
    const signs: readonly Partial<DeletionFacts>[] = [
      { isNamespaceAlive: false },
      { isPrepared: true },
      { isOwnDeploymentAlive: false },
      { isOwnDeployment: true, areRightsWhole: false },
    ];
    for (const sign of signs)
      for (const absentFor of [0, 60_000]) assert.equal(deletionVerdict({ ...facts, ...sign, absentFor }).kind, "uninstalling");
  });

  test("of the worker's own Deployment is undone while the worker's rights are there", () => {
    assert.deepEqual(deletionVerdict({ ...facts, isOwnDeployment: true, isOwnDeploymentAlive: false }), { kind: "restore" });
  });
});

describe("the mark of an uninstall", () => {
  const marked = (value: string): KubeObject => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: NAMESPACE, annotations: { [INSTALL_ANNOTATIONS.uninstalling]: value } },
  });
  const worker: KubeObject = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "keyvault-injector-sync", uid: "1" } };

  test("counts for the worker that it names, and while there is none", () => {
    assert.equal(isMarked(marked("1"), worker), true);
    assert.equal(isMarked(marked("1"), undefined), true);
    assert.equal(isMarked(marked(NO_WORKER), undefined), true);
  });

  test("that outlived an uninstall says nothing of the next install", () => {
    assert.equal(isMarked(marked("of before"), worker), false);
    assert.equal(isMarked(marked(NO_WORKER), worker), false);
  });
});

describe("another instance", () => {
  const configuration = (...namespaces: readonly string[]): KubeObject =>
    Object.assign(service(), { webhooks: namespaces.map((namespace) => ({ clientConfig: { service: { namespace } } })) });

  test("is where the webhook configuration points to, unless that is here", () => {
    assert.equal(otherInstance(configuration("first"), "second"), "first");
    assert.equal(otherInstance(configuration("first"), "first"), undefined);
    assert.equal(otherInstance(undefined, "first"), undefined);
    assert.equal(otherInstance(configuration(), "first"), undefined);
  });
});

describe("the components", () => {
  const idOf = ({ kind, metadata }: Manifest): string =>
    `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
  const installed = parseManifests(readRepositoryFile(`manifests/releases/${VERSION}/keyvault-injector.yaml`)).map(idOf);
  const nodeSide = ["csi-driver/csi-driver.yaml", "csi-driver/daemon-set.yaml", "csi-driver/rbac.yaml", "azure-provider/daemon-set.yaml"]
    .flatMap((file) => readManifests(`components/${file}`))
    // The driver's own rights, which came with it.
    .filter(({ kind }) => !kind.startsWith("ClusterRole"))
    .map(idOf);
  const known = componentsOf(NAMESPACE);

  test("are all that the manifests install, and no other; Windows has its own manifests", () => {
    const ids = known.filter(({ ref }) => !ref.name.includes("windows")).map(({ id }) => id);
    assert.deepEqual([...ids].sort(), [...installed, ...nodeSide].sort());
  });

  test("are written by nobody where they are rights, policies or the Namespace", () => {
    const kinds = new Set(known.filter(({ treatment }) => treatment === "healed").map(({ resource }) => resource.kind));
    for (const kind of ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ValidatingAdmissionPolicy", "Namespace", "Secret"])
      assert.ok(!kinds.has(kind), kind);
  });
});
