import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { webhookScope } from "../../src/cli/explain/cluster-steps.ts";
import type { Look, Viewer } from "../../src/cli/shared/viewer.ts";
import { type Manifest, readManifests } from "../support/cluster/shipped-manifests.ts";
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
      if (hidden.includes(kind)) return { kind: "unseen", why: `you may not get ${plural} ${name}` };
      const found = all.find((object) => object.kind === kind && object.metadata.name === name);
      return (found === undefined ? { kind: "absent" } : { kind: "seen", value: found }) as Look<T>; // Of the kind that was asked for.
    },
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

const CASES: Readonly<Record<string, readonly [viewer: Viewer, says: RegExp, namespace?: string, now?: number]>> = {
  "a healthy install asks, trusts and guards": [
    cluster([labelled(NAMESPACE), configurationWith()]),
    /^asked\nwebhook ok: .*\ncertificate ok: .* until 2\d{3}-\d\d-\d\d\npolicy ok: .* refuses the pod whenever the webhook has not added/,
  ],
  "without the configuration the policy refuses the pod": [
    cluster([labelled(NAMESPACE), { ...configurationWith(), metadata: { name: "other" } }]),
    /^WebhookMissing\n[^]*\npolicy problem: .* refuses the pod, unless it has the volume itself$/,
  ],
  "a namespace of the webhook's own exclusion is none of the policy's business": [
    cluster([labelled("kube-system"), configurationWith()]),
    /^NamespaceExcluded\n[^]*\npolicy ok: .* leaves namespace kube-system out: the pod starts without its volume$/,
    "kube-system",
  ],
  "a namespace that somebody else leaves out has its pods refused": [
    cluster([labelled(NAMESPACE), configurationWith({ namespaceSelector: { matchLabels: { injection: "on" } } })]),
    /^NamespaceExcluded\n[^]*\npolicy problem: /,
  ],
  "a selector of objects is looked at": [
    cluster([labelled(NAMESPACE), configurationWith({ objectSelector: { matchLabels: { app: "shop" } } })]),
    /^PodExcluded\nwebhook problem: .*objectSelector leaves the pod out \(label app is not shop\)/,
  ],
  "U7: a further condition on what it is asked about is a problem": [
    cluster([labelled(NAMESPACE), configurationWith({ matchConditions: [{ name: "never", expression: "false" }] })]),
    /^asked\nwebhook problem: the webhook's matchConditions\[never\] is not as it is shipped, and may leave the pod out\n/,
  ],
  "U7: rules that ask about no pods are a problem": [
    cluster([labelled(NAMESPACE), configurationWith({ rules: [{ apiGroups: ["apps"], operations: ["*"], resources: ["*"] }] })]),
    /^asked\nwebhook problem: the webhook's rules is not as it is shipped/,
  ],
  "a CA that has ended is a problem": [
    cluster([labelled(NAMESPACE), configurationWith()]),
    /^asked\nwebhook ok: .*\ncertificate problem: .* ended on 2\d{3}-\d\d-\d\d: see the webhook's log$/m,
    NAMESPACE,
    Date.now() + 20_000 * DAY,
  ],
  "no CA at all is one too": [
    cluster([labelled(NAMESPACE), configurationWith({ clientConfig: { caBundle: "bm8=" } })]),
    /^asked\nwebhook problem: its caBundle has no certificate yet/,
  ],
  "a policy that is bound to warn alone guards nothing": [
    cluster([labelled(NAMESPACE), configurationWith(), binding(["Warn"])]),
    /\npolicy warning: policy keyvault-injector-pod-volume is missing or not bound with Deny/,
  ],
  "a policy that may not be read is unknown": [
    cluster([labelled(NAMESPACE), configurationWith()], ["ValidatingAdmissionPolicy"]),
    /\npolicy unknown: you may not get validatingadmissionpolicies keyvault-injector-pod-volume: /,
  ],
};

describe("explain, about what stands between a pod and the webhook", () => {
  for (const [behaviour, [viewer, says, namespace, now]] of Object.entries(CASES)) {
    test(behaviour, async () => assert.match(await said(viewer, namespace, now), says));
  }
});
