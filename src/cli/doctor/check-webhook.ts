import { PREFLIGHT_ENTRIES, WEBHOOK_CONFIGURATION, WEBHOOK_ENTRY } from "../../domain/certificates/names.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { dayOf, endsOf } from "../ca-bundle.ts";
import type { Look } from "../cluster.ts";
import type { WebhookConfiguration } from "../explain/webhook-steps.ts";
import { EXCLUDED_NAMESPACES } from "../install.ts";
import { selectorProblem } from "../label-selector.ts";
import { narrowingsOf } from "../narrowed-webhook.ts";
import { type Check, type CheckResult, type DoctorContext, fail, fine, skipped, warn } from "./check.ts";

type Entry = NonNullable<WebhookConfiguration["webhooks"]>[number];

const APPLY = "apply the manifests again";

/** The entry for pods, of the configuration that is there. */
export async function lookAtEntry({ viewer }: Pick<DoctorContext, "viewer">): Promise<Look<Entry>> {
  const look = await viewer.object<WebhookConfiguration>(RESOURCES.mutatingWebhookConfigurations, { name: WEBHOOK_CONFIGURATION });
  if (look.kind !== "seen") return look;
  const entry = look.value.webhooks?.find(({ name }) => name === WEBHOOK_ENTRY);
  return entry === undefined ? { kind: "absent" } : { kind: "seen", value: entry };
}

export const checkWebhook: Check = async (context) => {
  const look = await lookAtEntry(context);
  if (look.kind === "unseen") return [skipped("webhook", look)];
  if (look.kind !== "seen")
    return [fail("webhook", `there is no MutatingWebhookConfiguration ${WEBHOOK_CONFIGURATION} with ${WEBHOOK_ENTRY}`, APPLY)];
  const { failurePolicy, clientConfig } = look.value;
  const results: CheckResult[] = [];
  if ((clientConfig?.caBundle ?? "") === "") {
    results.push(
      fail("webhook", "its caBundle is empty: the API server trusts no answer", "start the webhook, which publishes it; see its log"),
    );
  }
  if (failurePolicy !== "Ignore") {
    results.push(
      warn("webhook", `its failurePolicy is ${failurePolicy ?? "unset"}`, `set it to Ignore (${APPLY}): else an outage stops every pod`),
    );
  }
  const narrowings = narrowingsOf(look.value);
  if (narrowings.length > 0)
    results.push(
      warn(
        "webhook",
        `its ${narrowings.join(", ")} may keep opted-in pods from it`,
        "take that out of the configuration, unless it is meant",
      ),
    );
  return results.length > 0 ? results : [fine("webhook", `${WEBHOOK_ENTRY} is configured`)];
};

/** It only warns: an install without it is whole. */
export const checkPreflight: Check = async ({ viewer }) => {
  const look = await viewer.object<WebhookConfiguration>(RESOURCES.validatingWebhookConfigurations, { name: WEBHOOK_CONFIGURATION });
  if (look.kind === "unseen") return [skipped("preflight", look)];
  const entries = look.kind === "seen" ? (look.value.webhooks ?? []) : [];
  const missing = PREFLIGHT_ENTRIES.filter((name) => !entries.some((entry) => entry.name === name));
  if (missing.length > 0)
    return [warn("preflight", `not configured: ${missing.join(", ")}`, `${APPLY}, if kubectl apply is to show warnings`)];
  const untrusted = entries.filter(({ clientConfig }) => (clientConfig?.caBundle ?? "") === "").map(({ name }) => name);
  if (untrusted.length > 0) return [warn("preflight", `no caBundle: ${untrusted.join(", ")}`, "see the webhook's log")];
  return [fine("preflight", `${PREFLIGHT_ENTRIES.length} of ${PREFLIGHT_ENTRIES.length} are configured`)];
};

const DAY = 86_400_000;

/** A CA is renewed eight months into its year: one with less than this left is not being renewed. */
const LEAST_LEFT = 30 * DAY;

export const checkCertificates: Check = async (context) => {
  const look = await lookAtEntry(context);
  if (look.kind === "unseen") return [skipped("certificates", look)];
  const ends = endsOf(look.kind === "seen" ? look.value.clientConfig?.caBundle : undefined);
  if (ends.length === 0)
    return [fail("certificates", "the API server has no certificate to trust the webhook by", "start the webhook; see its log")];
  const last = Math.max(...ends);
  const left = last - context.clock.now();
  const until = dayOf(last);
  if (left <= 0)
    return [
      fail("certificates", `the newest of ${ends.length} expired on ${until}`, "start the webhook; see its log for why it does not renew"),
    ];
  if (left < LEAST_LEFT)
    return [warn("certificates", `the newest of ${ends.length} ends on ${until}`, "see the webhook's log for why it does not renew")];
  return [fine("certificates", `${ends.length} trusted, the newest until ${until}`)];
};

export const checkNamespaces: Check = async (context) => {
  const look = await lookAtEntry(context);
  if (look.kind !== "seen") return [skipped("namespaces", look, "webhook")];
  const namespaces = await context.viewer.all<KubeObject>(RESOURCES.namespaces);
  if (namespaces.kind !== "seen") return [skipped("namespaces", namespaces)];
  const excluded = namespaces.value
    .filter(({ metadata }) => selectorProblem(look.value.namespaceSelector, metadata.labels ?? {}) !== undefined)
    .map(({ metadata }) => metadata.name);
  const meant = [...EXCLUDED_NAMESPACES, context.namespace];
  const missing = meant.filter((name) => !excluded.includes(name) && namespaces.value.some(({ metadata }) => metadata.name === name));
  const others = excluded.filter((name) => !meant.includes(name));
  const count = `${namespaces.value.length - excluded.length} of ${namespaces.value.length} namespaces are served`;
  if (missing.length > 0) {
    return [fail("namespaces", `${missing.join(", ")} is not left out: pods that the webhook needs would need the webhook`, APPLY)];
  }
  if (others.length === 0) return [fine("namespaces", `${count}; left out: ${excluded.join(", ")}`)];
  return [
    warn(
      "namespaces",
      `${count}; left out besides our own: ${others.join(", ")}`,
      "see the namespaceSelector of the configuration, if that is not meant",
    ),
  ];
};
