import { WEBHOOK_CONFIGURATION, WEBHOOK_ENTRY } from "../../domain/certificates/names.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { FINAL_CHECK, type Policy, type PolicyBinding } from "../shared/resources.ts";
import type { Viewer } from "../shared/viewer.ts";
import { dayOf, endsOf, lookAtEntry, narrowingsOf, selectorProblem, type WebhookEntry } from "../shared/webhook-entry.ts";
import { type ExplainReason, type Step, step, type Verdict } from "./explanation.ts";

interface WebhookScope {
  readonly steps: readonly Step[];
  /** Why the webhook is not asked about the pod at all. */
  readonly unasked: Verdict | undefined;
}

interface AskedPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Whether the API server asks the webhook about an opted-in pod, and what happens to the pod where it does not. */
export async function webhookScope(viewer: Viewer, pod: AskedPod): Promise<WebhookScope> {
  const labels = await namespaceLabels(viewer, pod.namespace);
  const asked = await lookAtWebhook(viewer, pod, labels);
  const policy = await finalCheckStep(viewer, { name: pod.namespace, labels }, asked.unasked === undefined);
  return { ...asked, steps: [...asked.steps, policy] };
}

type Labels = Readonly<Record<string, string>> | undefined;

async function lookAtWebhook(viewer: Viewer, pod: AskedPod, labels: Labels): Promise<WebhookScope> {
  const { namespace } = pod;
  const look = await lookAtEntry(viewer);
  if (look.kind === "unseen")
    return { steps: [step("webhook", "unknown", `${look.why}: whether the webhook is asked is not known`)], unasked: undefined };
  if (look.kind !== "seen") {
    return unasked(
      "WebhookMissing",
      `there is no MutatingWebhookConfiguration ${WEBHOOK_CONFIGURATION} with ${WEBHOOK_ENTRY}, so nothing is injected: keyvault-injector doctor says what to do`,
    );
  }
  const entry = look.value;
  const problem = labels === undefined ? undefined : selectorProblem(entry.namespaceSelector, labels);
  if (problem !== undefined) {
    return unasked("NamespaceExcluded", `the webhook leaves namespace ${namespace} out (${problem}): use another namespace`);
  }
  const ofPod = selectorProblem(entry.objectSelector, pod.labels);
  if (ofPod !== undefined) {
    return unasked("PodExcluded", `the webhook's objectSelector leaves the pod out (${ofPod}): change the pod's labels, or the selector`);
  }
  const unknown = labels === undefined ? [step("webhook", "unknown", `namespace ${namespace} is not readable: it may be left out`)] : [];
  const { objectSelector: _judged, ...rest } = entry;
  const narrowed = narrowingsOf(rest).map((what) =>
    step("webhook", "problem", `the webhook's ${what} is not as it is shipped, and may leave the pod out`),
  );
  return { steps: [...unknown, ...narrowed, ...trustSteps(entry, pod)], unasked: undefined };
}

function trustSteps({ clientConfig }: WebhookEntry, { namespace, now }: AskedPod): readonly Step[] {
  const ends = endsOf(clientConfig?.caBundle);
  if (ends.length === 0) {
    const message = "its caBundle has no certificate yet, so the API server trusts no answer: is the webhook running?";
    return [step("webhook", "problem", message)];
  }
  const last = Math.max(...ends);
  return [
    step("webhook", "ok", `asked about every pod of namespace ${namespace} that has an annotation of ours`),
    last > now
      ? step("certificate", "ok", `the API server trusts the webhook by a CA that is valid until ${dayOf(last)}`)
      : step("certificate", "problem", `the CA that the API server trusts the webhook by ended on ${dayOf(last)}: see the webhook's log`),
  ];
}

async function namespaceLabels(viewer: Viewer, namespace: string): Promise<Readonly<Record<string, string>> | undefined> {
  const look = await viewer.object<KubeObject>(RESOURCES.namespaces, { name: namespace });
  return look.kind === "seen" ? (look.value.metadata.labels ?? {}) : undefined;
}

function unasked(reason: ExplainReason, message: string): WebhookScope {
  return { steps: [step("webhook", "problem", message)], unasked: { outcome: "unasked", reason, message } };
}

interface CheckedNamespace {
  readonly name: string;
  /** Undefined: the user may not see them. */
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/** What becomes of the opted-in pod where nobody has added its volume. */
async function finalCheckStep(viewer: Viewer, { name, labels }: CheckedNamespace, isAsked: boolean): Promise<Step> {
  const policy = await viewer.object<Policy>(RESOURCES.validatingAdmissionPolicies, { name: FINAL_CHECK });
  const binding = await viewer.object<PolicyBinding>(RESOURCES.validatingAdmissionPolicyBindings, { name: FINAL_CHECK });
  for (const look of [policy, binding]) {
    if (look.kind === "unseen") return step("policy", "unknown", `${look.why}: what happens while the webhook is away is not known`);
  }
  const isBound = binding.kind === "seen" && (binding.value.spec?.validationActions ?? []).includes("Deny");
  if (policy.kind !== "seen" || !isBound) {
    const message = `policy ${FINAL_CHECK} is missing or not bound with Deny: without its volume the pod starts all the same; apply manifests/policies again`;
    return step("policy", "warning", message);
  }
  const selector = policy.value.spec?.matchConstraints?.namespaceSelector;
  if (labels !== undefined && selectorProblem(selector, labels) !== undefined) {
    return step("policy", "ok", `policy ${FINAL_CHECK} leaves namespace ${name} out: the pod starts without its volume`);
  }
  return isAsked
    ? step("policy", "ok", `policy ${FINAL_CHECK} refuses the pod whenever the webhook has not added its volume`)
    : step("policy", "problem", `policy ${FINAL_CHECK} refuses the pod, unless it has the volume itself`);
}
