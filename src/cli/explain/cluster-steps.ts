import { WEBHOOK_CONFIGURATION, WEBHOOK_ENTRY } from "../../domain/certificates/names.ts";
import { WEBHOOK_DEPLOYMENT } from "../../domain/healing/components.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import { shell } from "../../domain/shell-words.ts";
import { CREDENTIALS_KEYS, paddedKeys, paddedText, unfilledKeys, unfilledText } from "../shared/class-context.ts";
import { INJECTION_POLICY, injectionModeOf } from "../shared/injection-mode.ts";
import { type Holder, holdersOfRight, type Rbac, type Right } from "../shared/rbac.ts";
import { FINAL_CHECK, MORE_RESOURCES, type Policy, type PolicyBinding, type WebhookEntry } from "../shared/resources.ts";
import type { WorkloadObject } from "../shared/settings-in-force.ts";
import { type Viewer, type ViewResult, valueIn } from "../shared/viewer.ts";
import { dayOf, endsOf, narrowingsOf, readEntry, selectorProblem } from "../shared/webhook-entry.ts";
import { type ExplainReason, type ExplanationStep, type ExplanationVerdict, say } from "./explanation.ts";

interface WebhookScope {
  readonly steps: readonly ExplanationStep[];
  /** Verdict if the API server does not call the webhook for the pod, or gets no answer that it trusts. */
  readonly unasked: ExplanationVerdict | undefined;
}

interface AskedPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Finds out whether the API server calls the webhook for an opted-in pod, and what happens to the pod if it does not. */
export async function webhookScope(viewer: Viewer, pod: AskedPod): Promise<WebhookScope> {
  const facts = await namespaceFacts(viewer, pod.namespace);
  const asked = await readWebhook(viewer, pod, facts);
  const policy = await finalCheckStep(viewer, pod.namespace, facts.labels, asked.unasked === undefined);
  return { steps: [...asked.steps, policy], unasked: asked.unasked && withFate(asked.unasked, policy) };
}

/** Begins the message with the fate of the pod, because that is what the author sees. */
function withFate(verdict: ExplanationVerdict, policy: ExplanationStep): ExplanationVerdict {
  if (verdict.reason !== "WebhookUnanswered" || policy.state === "unknown") return verdict;
  const fate = policy.state === "problem" ? `policy ${FINAL_CHECK} rejects new pods` : "new pods start without their secrets";
  return { ...verdict, message: `${fate}: ${verdict.message}` };
}

/** Undefined if the Namespace does not exist, or the user may not read it. */
type Labels = Readonly<Record<string, string>> | undefined;

interface NamespaceFacts {
  readonly labels: Labels;
  readonly isAbsent: boolean;
}

async function readWebhook(viewer: Viewer, pod: AskedPod, { labels, isAbsent }: NamespaceFacts): Promise<WebhookScope> {
  const { namespace } = pod;
  const reading = await readEntry(viewer);
  if (reading.kind === "unseen")
    return { steps: [say.webhook.unknown(`${reading.why}: it is not known whether the API server calls the webhook`)], unasked: undefined };
  const { kind, policy } = await injectionModeOf(viewer);
  if (kind === "policy") return policyScope(policy, namespace, labels);
  if (reading.kind !== "seen") {
    return unasked(
      "WebhookMissing",
      `no MutatingWebhookConfiguration ${WEBHOOK_CONFIGURATION} with ${WEBHOOK_ENTRY} exists, so nothing is injected: run keyvault-injector doctor`,
    );
  }
  const entry = reading.value;
  const problem = labels === undefined ? undefined : selectorProblem(entry.namespaceSelector, labels);
  if (problem !== undefined) {
    return unasked("NamespaceExcluded", `the webhook excludes namespace ${namespace} (${problem}): use another namespace`);
  }
  const ofPod = selectorProblem(entry.objectSelector, pod.labels);
  if (ofPod !== undefined) {
    return unasked("PodExcluded", `the webhook's objectSelector excludes the pod (${ofPod}): change the pod's labels, or the selector`);
  }
  const why = isAbsent ? "does not exist yet" : "cannot be read";
  const unknown = labels === undefined ? [say.webhook.unknown(`namespace ${namespace} ${why}, and may be excluded`)] : [];
  const { objectSelector: _judged, ...rest } = entry;
  const narrowed = narrowingsOf(rest).map((what) =>
    say.webhook.problem(`in the webhook's configuration, ${what} differs from the shipped one, and may exclude the pod`),
  );
  const trust = trustSteps(entry, pod);
  const steps = [...unknown, ...narrowed, ...trust, ...(await readySteps(viewer, entry))];
  const failing = steps.find((step) => !narrowed.includes(step) && step.state === "problem");
  return { steps, unasked: failing && { outcome: "unasked", reason: "WebhookUnanswered", message: failing.message } };
}

/** Explains injection by the policy. The policy reads no class, so this step, not the decision, describes nodePublishSecretRef. */
function policyScope(policy: Policy | undefined, namespace: string, labels: Labels): WebhookScope {
  const problem = labels === undefined ? undefined : selectorProblem(policy?.spec?.matchConstraints?.namespaceSelector, labels);
  if (problem !== undefined)
    return unasked(
      "NamespaceExcluded",
      `the policy ${INJECTION_POLICY} excludes namespace ${namespace} (${problem}): use another namespace`,
    );
  const message = `there is no webhook: the policy ${INJECTION_POLICY} injects, and adds nodePublishSecretRef for every class unless credentials-secret is none`;
  return { steps: [say.webhook.ok(message)], unasked: undefined };
}

function trustSteps({ clientConfig }: WebhookEntry, { namespace, now }: AskedPod): readonly ExplanationStep[] {
  const ends = endsOf(clientConfig?.caBundle);
  if (ends.length === 0) {
    const message =
      "the webhook's caBundle has no certificate yet, so the API server trusts none of its responses: make sure that the webhook runs";
    return [say.webhook.problem(message)];
  }
  const last = Math.max(...ends);
  return [
    say.webhook.ok(`called for every pod in namespace ${namespace} with a project annotation`),
    last > now
      ? say.certificate.ok(`the API server trusts the webhook's CA, which is valid until ${dayOf(last)}`)
      : say.certificate.problem(`the webhook's CA that the API server trusts expired on ${dayOf(last)}: see the webhook's log`),
  ];
}

/** Reports a webhook without a ready pod. Reports nothing if the user may not read its Deployment: most authors of pods may not. */
async function readySteps(viewer: Viewer, { clientConfig }: WebhookEntry): Promise<readonly ExplanationStep[]> {
  const { namespace, name = "" } = clientConfig?.service ?? {};
  if (namespace === undefined) return [];
  const service = await viewer.object<KubeObject & { readonly spec?: { readonly type?: string } }>(RESOURCES.services, { namespace, name });
  // An ExternalName Service means that the webhook runs somewhere else.
  if (valueIn(service)?.spec?.type === "ExternalName") return [];
  const reading = await viewer.object<WorkloadObject>(MORE_RESOURCES.deployments, { namespace, name: WEBHOOK_DEPLOYMENT });
  if (reading.kind !== "seen" || (reading.value.status?.readyReplicas ?? 0) > 0) return [];
  return [say.webhook.problem(`the webhook has no ready pod in namespace ${namespace}: ${shell`see kubectl get pods -n ${namespace}`}`)];
}

async function namespaceFacts(viewer: Viewer, namespace: string): Promise<NamespaceFacts> {
  const reading = await viewer.object<KubeObject>(RESOURCES.namespaces, { name: namespace });
  return { labels: reading.kind === "seen" ? (reading.value.metadata.labels ?? {}) : undefined, isAbsent: reading.kind === "absent" };
}

function unasked(reason: ExplainReason, message: string): WebhookScope {
  return { steps: [say.webhook.problem(message)], unasked: { outcome: "unasked", reason, message } };
}

/** Explains what happens to the opted-in pod if nothing has added its volume. */
async function finalCheckStep(viewer: Viewer, namespace: string, labels: Labels, isAsked: boolean): Promise<ExplanationStep> {
  const policy = await viewer.object<Policy>(RESOURCES.validatingAdmissionPolicies, { name: FINAL_CHECK });
  const binding = await viewer.object<PolicyBinding>(RESOURCES.validatingAdmissionPolicyBindings, { name: FINAL_CHECK });
  for (const reading of [policy, binding]) {
    if (reading.kind === "unseen") return say.policy.unknown(`${reading.why}: it is not known what happens to a pod without injection`);
  }
  const isBound = (valueIn(binding)?.spec?.validationActions ?? []).includes("Deny");
  if (policy.kind !== "seen" || !isBound) {
    const message = `policy ${FINAL_CHECK} is missing or not bound with Deny: the pod starts even without its volume; apply manifests/policies again`;
    return say.policy.warning(message);
  }
  const selector = policy.value.spec?.matchConstraints?.namespaceSelector;
  if (labels !== undefined && selectorProblem(selector, labels) !== undefined) {
    return say.policy.ok(`policy ${FINAL_CHECK} excludes namespace ${namespace}: the pod starts without its volume`);
  }
  return isAsked
    ? say.policy.ok(`policy ${FINAL_CHECK} rejects the pod if its volume has not been added`)
    : say.policy.problem(`policy ${FINAL_CHECK} rejects the pod, unless it has the volume itself`);
}

/** Checks whether the Secret of a service principal exists and has usable keys. Keeps none of its values. */
export async function credentialsStep(viewer: Viewer, ref: ObjectRef): Promise<ExplanationStep> {
  const reading = await viewer.object<Secret>(RESOURCES.secrets, ref);
  if (reading.kind === "unseen")
    return say.credentials.unknown(`${reading.why}: it is not known whether it has ${CREDENTIALS_KEYS.join(" and ")}`);
  if (reading.kind !== "seen") {
    return say.credentials.problem(
      `Secret ${ref.name} does not exist: create it with ${CREDENTIALS_KEYS.join(" and ")}, or the mount fails`,
    );
  }
  const present = Object.keys(reading.value.data ?? {}).map((key) => key.toLowerCase());
  const missing = CREDENTIALS_KEYS.filter((key) => !present.includes(key));
  if (missing.length > 0) return say.credentials.problem(`Secret ${ref.name} has no ${missing.join(" and no ")}: add it`);
  const unfilled = unfilledKeys(reading.value.data ?? {});
  if (unfilled.length > 0)
    return say.credentials.problem(
      `${unfilledText(unfilled, `Secret ${ref.name}`)}: put the ${unfilled.length === 1 ? "value" : "values"} there, or the sign-in fails`,
    );
  const padded = paddedKeys(reading.value.data ?? {});
  if (padded.length > 0)
    return say.credentials.problem(
      `${paddedText(padded, `Secret ${ref.name}`)}; write ${padded.length === 1 ? "it" : "them"} again with kubectl create secret generic --from-literal`,
    );
  return say.credentials.ok(`Secret ${ref.name} has ${CREDENTIALS_KEYS.join(" and ")}`);
}

/** Maximum number of names in the line, which only counts the others. No format lists them all: an audit queries the API server. */
const SHOWN = 12;

const READ: readonly string[] = ["get", "list", "watch"];

/** Kinds that create pods: anyone who can create one can mount any class of the namespace. */
const POD_MAKERS: readonly Pick<Right, "group" | "resource">[] = [
  { group: "", resource: "pods" },
  { group: "", resource: "replicationcontrollers" },
  ...["deployments", "statefulsets", "daemonsets", "replicasets"].map((resource) => ({ group: "apps", resource })),
  ...["jobs", "cronjobs"].map((resource) => ({ group: "batch", resource })),
];

/** Lists who can read the Secrets by RBAC, and, if the class is mountable, who can mount it. */
export function readersSteps(
  namespace: string,
  secrets: readonly string[],
  isMountable: boolean,
  reading: ViewResult<Rbac>,
): readonly ExplanationStep[] {
  if (reading.kind !== "seen") {
    const why = reading.kind === "unseen" ? `${reading.why}: ` : "";
    return [say.readers.unknown(`${why}it is not known who can read it`)];
  }
  const rbac = reading.value;
  const readers = secrets.map((name) => {
    const holders = READ.flatMap((verb) => holdersOfRight({ verb, group: "", resource: "secrets", name }, namespace, rbac));
    return say.readers.ok(`Secret ${name} can be read by ${listed(holders)}`);
  });
  if (!isMountable) return readers;
  const makers = POD_MAKERS.flatMap((kind) => holdersOfRight({ verb: "create", ...kind }, namespace, rbac));
  return [...readers, say.readers.ok(`the class can be mounted by anyone who can create pods in ${namespace}: ${listed(makers)}`)];
}

/** Counts Kubernetes' own controllers without naming them: they have the same permissions in every cluster, and would hide others. */
function listed(holders: readonly Holder[]): string {
  const by = new Map(holders.map(({ subject, by: binding }) => [subject, binding]));
  const others = [...by].filter(([, binding]) => !isOfKubernetes(binding));
  const texts = others.map(([subject, binding]) => `${subject} (${binding})`);
  if (by.size === 0) return "no account through RBAC (except cluster administrators' groups)";
  const left = texts.length - SHOWN;
  const named = [...texts.slice(0, SHOWN), ...(left > 0 ? [`${left} more`] : [])].join(", ");
  const own = by.size - others.length;
  const builtIn = own === 0 ? "" : `${own} built-in Kubernetes ${own === 1 ? "identity" : "identities"} (system:…)`;
  return [named, builtIn].filter((text) => text !== "").join(", and ");
}

/** Whether the binding has the prefix `system:`, which Kubernetes reserves for its control plane. */
function isOfKubernetes(binding: string): boolean {
  return /^ClusterRoleBinding system:|^RoleBinding [^/]+\/system:/.test(binding);
}
