import { WEBHOOK_CONFIGURATION, WEBHOOK_ENTRY } from "../../domain/certificates/names.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { type LabelSelector, selectorProblem } from "../access/selector.ts";
import type { Viewer } from "../cluster.ts";
import { type ExplainReason, type Step, step, type Verdict } from "./explanation.ts";

/** The parts of a webhook configuration that decide whether the webhook is asked. */
export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly {
    readonly name: string;
    readonly namespaceSelector?: LabelSelector;
    readonly failurePolicy?: string;
    readonly clientConfig?: { readonly caBundle?: string };
  }[];
}

export interface WebhookScope {
  readonly steps: readonly Step[];
  /** Why the webhook is not asked about pods of the namespace at all. */
  readonly unasked: Verdict | undefined;
}

/** Whether the API server asks the webhook about pods of the namespace. */
export async function webhookScope(viewer: Viewer, namespace: string): Promise<WebhookScope> {
  const look = await viewer.object<WebhookConfiguration>(RESOURCES.mutatingWebhookConfigurations, { name: WEBHOOK_CONFIGURATION });
  if (look.kind === "unseen")
    return { steps: [step("webhook", "unknown", `${look.why}: whether the webhook is asked is not known`)], unasked: undefined };
  const entry = look.kind === "seen" ? look.value.webhooks?.find(({ name }) => name === WEBHOOK_ENTRY) : undefined;
  if (entry === undefined) {
    return unasked(
      "WebhookMissing",
      `there is no MutatingWebhookConfiguration ${WEBHOOK_CONFIGURATION} with ${WEBHOOK_ENTRY}: apply the manifests again`,
    );
  }
  const labels = await namespaceLabels(viewer, namespace);
  const problem = labels === undefined ? undefined : selectorProblem(entry.namespaceSelector, labels);
  if (problem !== undefined) {
    return unasked("NamespaceExcluded", `the webhook leaves namespace ${namespace} out (${problem}): use another namespace`);
  }
  const trust =
    (entry.clientConfig?.caBundle ?? "") === ""
      ? step("webhook", "problem", "its configuration has no caBundle yet, so the API server trusts no answer: is the webhook running?")
      : step("webhook", "ok", `asked about every pod of namespace ${namespace} that has an annotation of ours`);
  const unknown = labels === undefined ? [step("webhook", "unknown", `namespace ${namespace} is not readable: it may be left out`)] : [];
  return { steps: [...unknown, trust], unasked: undefined };
}

async function namespaceLabels(viewer: Viewer, namespace: string): Promise<Readonly<Record<string, string>> | undefined> {
  const look = await viewer.object<KubeObject>(RESOURCES.namespaces, { name: namespace });
  return look.kind === "seen" ? (look.value.metadata.labels ?? {}) : undefined;
}

function unasked(reason: ExplainReason, message: string): WebhookScope {
  return { steps: [step("webhook", "problem", message)], unasked: { outcome: "unasked", reason, message } };
}
