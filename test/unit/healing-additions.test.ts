import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as componentCopy from "../../src/domain/healing/component-copy.ts";
import { copyOf } from "../../src/domain/healing/component-copy.ts";
import { componentDrift } from "../../src/domain/healing/component-drift.ts";
import { componentsOf } from "../../src/domain/healing/components.ts";
import type { KubeObject, ManagedFieldsEntry } from "../../src/domain/kubernetes.ts";
import { VERSION } from "../../tools/repository-files.ts";
import { readManifests } from "../support/cluster/shipped-manifests.ts";

const NAMESPACE = "keyvault-injector";
const WEBHOOK = "pods.keyvault-injector.dev";
const ITEM = `k:{"name":"${WEBHOOK}"}`;
const OURS = { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system", NAMESPACE] };
const ENFORCED = [
  { key: "control-plane", operator: "NotIn", values: ["true"] },
  { key: "kubernetes.azure.com/managedby", operator: "NotIn", values: ["aks"] },
];
const SERVICE = { service: { name: "keyvault-injector-webhook", namespace: NAMESPACE } };
const LABELS = { "app.kubernetes.io/name": NAMESPACE };
const INSTALLED = "2026-11-25T00:00:00Z";
const LATER = "2026-11-25T00:01:00Z";

function componentOf(id: string) {
  const found = componentsOf(NAMESPACE).find((component) => component.id === id);
  assert.ok(found !== undefined, id);
  return found;
}

const CONFIGURATION = componentOf(`MutatingWebhookConfiguration ${NAMESPACE}`);
const DEPLOYMENT = componentOf(`Deployment ${NAMESPACE}/keyvault-injector-webhook`);

const installer = (fieldsV1: object, time = INSTALLED): ManagedFieldsEntry => ({
  manager: "helm",
  operation: "Apply",
  time,
  fieldsV1: { "f:metadata": { "f:labels": { "f:app.kubernetes.io/name": {} } }, ...fieldsV1 },
});
const other = (manager: string, fieldsV1: object, more: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry => ({
  manager,
  operation: "Update",
  time: LATER,
  fieldsV1: { ...fieldsV1 },
  ...more,
});

interface ConfigurationFacts {
  /** Members that replace those of the installed webhook. */
  readonly webhook?: object;
  readonly isSelectorOfInstaller?: boolean;
  readonly others?: readonly ManagedFieldsEntry[];
  readonly time?: string;
}

/** The configuration as the API server stores it, with defaults. */
function configuration({ webhook = {}, isSelectorOfInstaller = true, others = [], time }: ConfigurationFacts = {}): KubeObject {
  const condition = { 'k:{"name":"ours"}': { ".": {}, "f:name": {}, "f:expression": {} } };
  const service = { "f:service": { "f:name": {}, "f:namespace": {} } };
  const own = { ".": {}, "f:name": {}, "f:timeoutSeconds": {}, "f:matchConditions": condition, "f:clientConfig": service };
  const selector = isSelectorOfInstaller ? { "f:namespaceSelector": {} } : {};
  const managedFields = [installer({ "f:webhooks": { [ITEM]: { ...own, ...selector } } }, time), ...others];
  const whole = {
    name: WEBHOOK,
    timeoutSeconds: 5,
    failurePolicy: "Fail",
    objectSelector: {},
    namespaceSelector: { matchExpressions: [OURS] },
    matchConditions: [{ name: "ours", expression: "true" }],
    clientConfig: { ...SERVICE, caBundle: "x" },
    ...webhook,
  };
  const metadata = { name: NAMESPACE, labels: LABELS, managedFields };
  return Object.assign(
    { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration", metadata },
    { webhooks: [whole] },
  );
}

const ofWebhook = (fields: object): object => ({ "f:webhooks": { [ITEM]: fields } });
const enforcer = other("admissionsenforcer", ofWebhook({ "f:namespaceSelector": {} }));
const withTerms = (...terms: readonly object[]) => ({ namespaceSelector: { matchExpressions: [...terms] } });

function deployment(spec: object, others: readonly ManagedFieldsEntry[], fields: object = {}): KubeObject {
  const own = { "f:template": { "f:spec": { "f:containers": { 'k:{"name":"webhook"}': { ".": {}, "f:name": {}, "f:image": {} } } } } };
  const metadata = {
    name: "keyvault-injector-webhook",
    namespace: NAMESPACE,
    labels: LABELS,
    managedFields: [installer({ "f:spec": { ...own, ...fields } }), ...others],
  };
  const template = { spec: { containers: [{ name: "webhook", image: "w:1", terminationMessagePath: "/dev/termination-log" }] } };
  return Object.assign({ apiVersion: "apps/v1", kind: "Deployment", metadata }, { spec: { replicas: 2, template, ...spec } });
}

/** Returns the drift of the live object from a copy of the installed object. */
function drift(component: typeof CONFIGURATION, installed: KubeObject, live: KubeObject) {
  const copy = copyOf(component, installed);
  assert.ok(copy !== undefined);
  return componentDrift(copy, live);
}

describe("what others add to a webhook configuration", () => {
  const rows: readonly (readonly [string, object, object])[] = [
    ["an objectSelector", { objectSelector: { matchLabels: { a: "b" } } }, { "f:objectSelector": {} }],
    [
      "a further matchCondition",
      {
        matchConditions: [
          { name: "ours", expression: "true" },
          { name: "never", expression: "false" },
        ],
      },
      { "f:matchConditions": { 'k:{"name":"never"}': { ".": {}, "f:name": {}, "f:expression": {} } } },
    ],
    ["another failurePolicy where none was set", { failurePolicy: "Ignore" }, { "f:failurePolicy": {} }],
  ];
  for (const [what, webhook, fields] of rows) {
    test(`U7: is drift: ${what}`, () => {
      const found = drift(CONFIGURATION, configuration(), configuration({ webhook, others: [other("kubectl-edit", ofWebhook(fields))] }));

      assert.equal(found.kind, "edited");
      assert.ok(found.kind === "edited" && found.by === "kubectl-edit");
    });
  }

  test("U7: is drift whoever is recorded for it, or nobody", () => {
    const webhook = { objectSelector: { matchLabels: { a: "b" } } };
    assert.equal(drift(CONFIGURATION, configuration(), configuration({ webhook })).kind, "edited");
  });

  test("is none where it is a default, the CA, or taken back", () => {
    const others = [
      other("keyvault-injector-webhook", ofWebhook({ ".": {}, "f:name": {}, "f:clientConfig": { "f:caBundle": {} } })),
      other("kubectl-edit", ofWebhook({ "f:objectSelector": {}, "f:failurePolicy": {}, "f:matchPolicy": {} })),
    ];
    const webhook = { clientConfig: { ...SERVICE, caBundle: "y" }, matchPolicy: "Equivalent" };

    assert.deepEqual(drift(CONFIGURATION, configuration(), configuration({ webhook, others })), { kind: "untouched" });
  });
});

describe("what others add to a workload", () => {
  const installed = deployment({}, []);
  const drifted = (spec: object, entry: ManagedFieldsEntry) => drift(DEPLOYMENT, installed, deployment(spec, [entry]));
  const template = (more: object) => ({ template: { spec: { containers: [{ name: "webhook", image: "w:1" }], ...more } } });

  test("U7: is drift in its spec, by its path", () => {
    const byHand = (fields: object) => other("kubectl-patch", { "f:spec": fields });
    const tolerations = drifted(
      template({ tolerations: [{ operator: "Exists" }] }),
      byHand({ "f:template": { "f:spec": { "f:tolerations": {} } } }),
    );
    const paused = drifted({ paused: true }, byHand({ "f:paused": {} }));

    assert.deepEqual(
      [tolerations, paused].map(({ kind }) => kind),
      ["edited", "edited"],
    );
    assert.deepEqual(
      [tolerations, paused].map((each) => (each.kind === "edited" ? each.fields : [])),
      [["spec.template.spec.tolerations"], ["spec.paused"]],
    );
  });

  test("U7: is drift where no replica is left, though the installer leaves their number to others", () => {
    const scale = other("kubectl", { "f:spec": { "f:replicas": {} } }, { subresource: "scale" });
    assert.equal(drifted({ replicas: 0 }, scale).kind, "edited");
  });

  test("is none where it is their number, a label, a note of a restart, or what the cluster's admission added", () => {
    const scale = other("kubectl", { "f:spec": { "f:replicas": {} } }, { subresource: "scale" });
    const note = other("kubectl-rollout", {
      "f:metadata": { "f:labels": { "f:x": {} } },
      "f:spec": { "f:template": { "f:metadata": { "f:annotations": { "f:kubectl.kubernetes.io/restartedAt": {} } } } },
    });
    const noted = {
      template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": "now" } }, spec: template({}).template.spec },
    };

    assert.deepEqual(drifted({ replicas: 5 }, scale), { kind: "untouched" });
    assert.deepEqual(drifted(noted, note), { kind: "untouched" });
    assert.deepEqual(drift(DEPLOYMENT, installed, deployment(template({ tolerations: [{ operator: "Exists" }] }), [])), {
      kind: "untouched",
    });
  });

  test("is taken out with whatever else is there where the record of owners was wiped", () => {
    const wiped = deployment({ paused: true }, []);
    const found = drift(DEPLOYMENT, installed, { ...wiped, metadata: { ...wiped.metadata, managedFields: [] } });

    assert.ok(found.kind === "edited");
    assert.deepEqual(found.fields, ["metadata.managedFields"]);
    assert.ok(found.added !== undefined && "f:paused" in (found.added["f:spec"] as object));
  });
});

describe("what others had added before the first copy", () => {
  const selector = { objectSelector: { matchLabels: { a: "b" } } };
  const edit = other("kubectl-edit", ofWebhook({ "f:objectSelector": {} }));
  const narrowed = configuration({ webhook: selector, others: [edit] });

  test("is reported and stays, also when the installer writes again", () => {
    const first = copyOf(CONFIGURATION, narrowed);
    const again = configuration({ webhook: selector, others: [edit], time: LATER });
    const second = copyOf(CONFIGURATION, again, first);

    assert.deepEqual(componentDrift(first, narrowed), {
      kind: "untouched",
      remarks: [{ kind: "accepted", fields: [`webhooks[${WEBHOOK}].objectSelector`], by: "kubectl-edit" }],
    });
    assert.equal(componentDrift(second, again).kind, "untouched");
  });

  test("is not what was added later, however the installer writes after it", () => {
    const first = copyOf(CONFIGURATION, configuration());
    const again = configuration({ webhook: selector, others: [edit], time: LATER });

    assert.equal(componentDrift(copyOf(CONFIGURATION, again, first), again).kind, "edited");
  });

  test("is found out for a copy of an earlier version, which is taken anew", () => {
    const { accepted: _none, ...older } = copyOf(CONFIGURATION, narrowed) ?? assert.fail();

    assert.equal(componentDrift(older, narrowed).kind, "installed");
  });
});

describe("the admissions enforcer of AKS", () => {
  for (const file of [
    `releases/${VERSION}/keyvault-injector.yaml`,
    "base/webhook-configuration.yaml",
    "base/preflight-configuration.yaml",
  ]) {
    test(`C5: is asked to leave the webhook configurations alone: ${file}`, () => {
      const configurations = readManifests(file).filter(({ kind }) => kind.endsWith("WebhookConfiguration"));

      assert.ok(configurations.length > 0);
      for (const { metadata } of configurations) assert.equal(metadata.annotations?.["admissions.enforcer/disabled"], "true");
    });
  }

  const installed = configuration();
  const enforced = (...terms: readonly object[]): KubeObject =>
    configuration({ webhook: withTerms(...terms), isSelectorOfInstaller: false, others: [enforcer] });

  test("C5: may leave out the platform's namespaces, in any order", () => {
    assert.notEqual(drift(CONFIGURATION, installed, enforced(OURS, ...ENFORCED)).kind, "edited");
    assert.notEqual(drift(CONFIGURATION, installed, enforced(...ENFORCED.toReversed(), OURS)).kind, "edited");
    assert.notEqual(drift(CONFIGURATION, installed, enforced(OURS, { key: "control-plane", operator: "DoesNotExist" })).kind, "edited");
  });

  test("is remarked upon, and may do nothing else", () => {
    const fields = [`webhooks[${WEBHOOK}].namespaceSelector`];
    assert.deepEqual(drift(CONFIGURATION, installed, enforced(OURS, ...ENFORCED)), {
      kind: "untouched",
      remarks: [{ kind: "tolerated", fields, by: "admissionsenforcer" }],
    });
    assert.equal(drift(CONFIGURATION, installed, enforced(...ENFORCED)).kind, "edited", "kube-system is not left out any more");
    const team = { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["team"] };
    assert.equal(drift(CONFIGURATION, installed, enforced(OURS, ...ENFORCED, team)).kind, "edited", "a team is left out");
  });

  test("is the only one that may", () => {
    const byHand = other("kubectl-edit", ofWebhook({ "f:namespaceSelector": {} }));
    const live = configuration({ webhook: withTerms(OURS, ...ENFORCED), isSelectorOfInstaller: false, others: [byHand] });

    assert.equal(drift(CONFIGURATION, installed, live).kind, "edited");
  });

  test("C5: was there before the first copy: what it added is no part of that", () => {
    const copy = copyOf(CONFIGURATION, enforced(OURS, ...ENFORCED)) ?? assert.fail();
    const { webhooks } = copy.object as KubeObject & { readonly webhooks: readonly { readonly namespaceSelector?: unknown }[] };

    assert.deepEqual(webhooks[0]?.namespaceSelector, { matchExpressions: [OURS] });
  });

  test("keeps its field when something else is repaired", () => {
    const copy = copyOf(CONFIGURATION, installed) ?? assert.fail();
    const kept = componentCopy.tolerating(copy, enforced(OURS, ...ENFORCED)).copy;

    assert.doesNotMatch(JSON.stringify(kept), /namespaceSelector/);
    assert.match(JSON.stringify(copy), /namespaceSelector/);
  });
});

describe("a HorizontalPodAutoscaler", () => {
  const own = { "f:replicas": {} };
  const hpa = other("kube-controller-manager", { "f:spec": own }, { subresource: "scale" });
  const installed = deployment({}, [], own);

  test("C5: may choose the number of replicas, as long as there is one", () => {
    assert.notEqual(drift(DEPLOYMENT, installed, deployment({ replicas: 5 }, [hpa])).kind, "edited");
  });

  test("may not switch the workload off, and people may not choose at all", () => {
    const byHand = other("kubectl", { "f:spec": own }, { subresource: "scale" });
    assert.equal(drift(DEPLOYMENT, installed, deployment({ replicas: 0 }, [hpa])).kind, "edited");
    assert.equal(drift(DEPLOYMENT, installed, deployment({ replicas: 5 }, [byHand])).kind, "edited");
  });
});
