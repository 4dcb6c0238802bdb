import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { webhookScope } from "../../src/cli/explain/cluster-steps.ts";
import { explainPod } from "../../src/cli/explain/explain-pod.ts";
import { injectionContext } from "../../src/cli/shared/injection.ts";
import type { Viewer, ViewResult } from "../../src/cli/shared/viewer.ts";
import type { JsonObject } from "../../src/domain/json-object.ts";
import { type Manifest, readManifests } from "../support/cluster/shipped-manifests.ts";
import { aClass, aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";

type Json = Readonly<Record<string, unknown>>;

const DAY = 86_400_000;
const NAMESPACE = "shop";
const caBundle = Buffer.from(selfSignedCertificate("ca", ["ca.example"]).cert).toString("base64");
const shipped = ["base/webhook-configuration.yaml", "policies/pod-volume.yaml"].flatMap(readManifests);

const labelled = (name: string): Manifest => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
});

/** The shipped configuration with the CA published, after a change. */
function configurationWith(changes: Json = {}): Manifest {
  const found = shipped.find(({ kind }) => kind === "MutatingWebhookConfiguration");
  assert.ok(found !== undefined);
  const [entry]: Json[] = Object(found)["webhooks"];
  return Object.assign(structuredClone(found), { webhooks: [{ ...entry, clientConfig: { caBundle }, ...changes }] });
}

/** A cluster that holds these objects and the shipped ones of other kinds; `hidden` kinds may not be read. */
function cluster(objects: readonly Manifest[], hidden: readonly string[] = []): Viewer {
  const kinds = new Set(objects.map(({ kind }) => kind));
  const all = [...objects, ...shipped.filter(({ kind }) => !kinds.has(kind))];
  return {
    object: async <T>({ kind, plural }: { readonly kind: string; readonly plural: string }, { name }: { readonly name: string }) => {
      if (hidden.includes(kind)) return { kind: "unseen", why: `you lack permission to get ${plural} ${name}` };
      const found = all.find((object) => object.kind === kind && object.metadata.name === name);
      return (found === undefined ? { kind: "absent" } : { kind: "seen", value: found }) as ViewResult<T>; // Of the kind that was asked for.
    },
    metadata: async () => ({ kind: "unserved" }),
    all: async () => ({ kind: "unserved" }),
  };
}

async function said(viewer: Viewer, namespace = NAMESPACE, now = Date.now()): Promise<string> {
  const { steps, unasked } = await webhookScope(viewer, { namespace, labels: { app: "web" }, now });
  return [unasked?.reason ?? "asked", ...steps.map(({ topic, state, message }) => `${topic} ${state}: ${message}`)].join("\n");
}

const binding = (validationActions: readonly string[]): Manifest =>
  Object.assign(
    { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingAdmissionPolicyBinding" },
    { metadata: { name: "keyvault-injector-pod-volume" }, spec: { policyName: "keyvault-injector-pod-volume", validationActions } },
  );

const SERVICE = { clientConfig: { caBundle, service: { name: "keyvault-injector-webhook", namespace: "keyvault-injector" } } };

const deploymentWith = (readyReplicas: number): Manifest =>
  Object.assign(
    { apiVersion: "apps/v1", kind: "Deployment", status: { readyReplicas } },
    { metadata: { name: "keyvault-injector-webhook", namespace: "keyvault-injector" } },
  );
const ALIAS: Manifest = Object.assign(
  { apiVersion: "v1", kind: "Service", spec: { type: "ExternalName", externalName: "webhook.example.com" } },
  { metadata: { name: "keyvault-injector-webhook", namespace: "keyvault-injector" } },
);

const CASES: Readonly<Record<string, readonly [viewer: Viewer, says: RegExp, namespace?: string, now?: number]>> = {
  "a healthy install asks, trusts and guards": [
    cluster([labelled(NAMESPACE), configurationWith()]),
    /^asked\nwebhook ok: .*\ncertificate ok: .* until 2\d{3}-\d\d-\d\d\npolicy ok: .* rejects the pod if its volume has not been added/,
  ],
  "without the configuration the policy refuses the pod": [
    cluster([labelled(NAMESPACE), { ...configurationWith(), metadata: { name: "other" } }]),
    /^WebhookMissing\n[^]*\npolicy problem: .* rejects the pod, unless it has the volume itself$/,
  ],
  "a namespace of the webhook's own exclusion is not one of the policy's business": [
    cluster([labelled("kube-system"), configurationWith()]),
    /^NamespaceExcluded\n[^]*\npolicy ok: .* excludes namespace kube-system: the pod starts without its volume$/,
    "kube-system",
  ],
  "a namespace that somebody else leaves out has its pods refused": [
    cluster([labelled(NAMESPACE), configurationWith({ namespaceSelector: { matchLabels: { injection: "on" } } })]),
    /^NamespaceExcluded\n[^]*\npolicy problem: /,
  ],
  "a selector of objects is looked at": [
    cluster([labelled(NAMESPACE), configurationWith({ objectSelector: { matchLabels: { app: "shop" } } })]),
    /^PodExcluded\nwebhook problem: .*objectSelector excludes the pod \(label app is not shop\)/,
  ],
  "U7: a further condition on what it is asked about is a problem": [
    cluster([labelled(NAMESPACE), configurationWith({ matchConditions: [{ name: "never", expression: "false" }] })]),
    /^asked\nwebhook problem: in the webhook's configuration, matchConditions\[never\] differs from the shipped one, and may exclude the pod\n/,
  ],
  "U7: rules that ask about no pods are a problem": [
    cluster([labelled(NAMESPACE), configurationWith({ rules: [{ apiGroups: ["apps"], operations: ["*"], resources: ["*"] }] })]),
    /^asked\nwebhook problem: in the webhook's configuration, rules differs from the shipped one/,
  ],
  "a CA that has ended is a problem": [
    cluster([labelled(NAMESPACE), configurationWith()]),
    /^WebhookUnanswered\nwebhook ok: .*\ncertificate problem: .* expired on 2\d{3}-\d\d-\d\d: see the webhook's log\npolicy problem: /,
    NAMESPACE,
    Date.now() + 20_000 * DAY,
  ],
  "no CA at all is one too": [
    cluster([labelled(NAMESPACE), configurationWith({ clientConfig: { caBundle: "bm8=" } })]),
    /^WebhookUnanswered\nwebhook problem: the webhook's caBundle has no certificate yet.*\npolicy problem: /,
  ],
  "N1: a webhook without a ready pod does not answer": [
    cluster([labelled(NAMESPACE), configurationWith(SERVICE), deploymentWith(0)]),
    /^WebhookUnanswered\n[^]*\nwebhook problem: the webhook has no ready pod in namespace keyvault-injector/,
  ],
  "N1: a Service that is an alias for another place has no pods here": [
    cluster([labelled(NAMESPACE), configurationWith(SERVICE), deploymentWith(0), ALIAS]),
    /^asked\nwebhook ok/,
  ],
  "N1: one ready pod of the webhook is enough": [
    cluster([labelled(NAMESPACE), configurationWith(SERVICE), deploymentWith(1)]),
    /^asked\nwebhook ok/,
  ],
  "a policy that is bound to warn alone guards nothing": [
    cluster([labelled(NAMESPACE), configurationWith(), binding(["Warn"])]),
    /\npolicy warning: policy keyvault-injector-pod-volume is missing or not bound with Deny/,
  ],
  "a policy that may not be read is unknown": [
    cluster([labelled(NAMESPACE), configurationWith()], ["ValidatingAdmissionPolicy"]),
    /\npolicy unknown: you lack permission to get validatingadmissionpolicies keyvault-injector-pod-volume: /,
  ],
};

describe("explain, about what stands between a pod and the webhook", () => {
  for (const [behaviour, [viewer, says, namespace, now]] of Object.entries(CASES)) {
    test(behaviour, async () => assert.match(await said(viewer, namespace, now), says));
  }
});

describe("N1: the first line of explain", () => {
  const explained = async (viewer: Viewer, pod: JsonObject) => {
    const context = await injectionContext([], NAMESPACE, viewer, { version: "9.9.9", options: {} });
    return explainPod({ object: "pod/web", namespace: NAMESPACE, pod, isStored: false }, { ...context, viewer, clock: { now: Date.now } });
  };
  const untrusted = configurationWith({ clientConfig: { caBundle: "" } });
  const spc = Object.assign(structuredClone(aClass()), { kind: "SecretProviderClass" }) as unknown as Manifest;
  const creds = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "secrets-store-creds" },
    data: { clientid: "YQ==", clientsecret: "YQ==" },
  };

  test("says that new pods are refused where the webhook does not answer", async () => {
    const { verdict } = await explained(cluster([labelled(NAMESPACE), untrusted, spc, creds]), aPod(OPTED_IN));

    assert.deepEqual([verdict.outcome, verdict.reason], ["unasked", "WebhookUnanswered"]);
    assert.match(verdict.message, /^policy keyvault-injector-pod-volume rejects new pods: the webhook's caBundle has no certificate/);
  });

  test("comes before what the mount would lack", async () => {
    const { verdict } = await explained(cluster([labelled(NAMESPACE), untrusted]), aPod(OPTED_IN));

    assert.equal(verdict.reason, "WebhookUnanswered");
  });

  test("says that pods start without secrets where no policy guards them", async () => {
    const { verdict } = await explained(cluster([labelled(NAMESPACE), untrusted, spc, creds, binding(["Warn"])]), aPod(OPTED_IN));

    assert.match(verdict.message, /^new pods start without their secrets: /);
  });

  test("is Injected where it answers", async () => {
    const { verdict } = await explained(cluster([labelled(NAMESPACE), configurationWith(), spc, creds]), aPod(OPTED_IN));

    assert.equal(verdict.reason, "Injected");
  });
});
