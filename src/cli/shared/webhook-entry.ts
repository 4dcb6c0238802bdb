import { X509Certificate } from "node:crypto";
import { WEBHOOK_CONFIGURATION, WEBHOOK_ENTRY } from "../../domain/certificates/names.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import { expressionHolds } from "../../domain/rollout/label-selector.ts";
import { ownEntry } from "../../domain/text-map.ts";
import type { LabelSelector, WebhookConfiguration, WebhookEntry } from "./resources.ts";
import type { Viewer, ViewResult } from "./viewer.ts";

/** Describes the first condition that the labels do not meet; undefined if the selector matches them. */
export function selectorProblem(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>>): string | undefined {
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    if (ownEntry(labels, key) !== value) return `label ${key} is not ${value}`;
  }
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    if (!expressionHolds({ key, operator, values }, labels))
      return `label ${key} ${operator}${values.length === 0 ? "" : ` ${values.join(", ")}`} does not hold`;
  }
  return undefined;
}

/** Returns the entry for pods in the configuration of the cluster. */
export async function readEntry(viewer: Viewer): Promise<ViewResult<WebhookEntry>> {
  const reading = await viewer.object<WebhookConfiguration>(RESOURCES.mutatingWebhookConfigurations, { name: WEBHOOK_CONFIGURATION });
  if (reading.kind !== "seen") return reading;
  const entry = reading.value.webhooks?.find(({ name }) => name === WEBHOOK_ENTRY);
  return entry === undefined ? { kind: "absent" } : { kind: "seen", value: entry };
}

/** Names of the conditions that the manifests contain for the webhook and for the policy that injects. */
export const SHIPPED_CONDITIONS: readonly string[] = ["has-annotation-of-ours", "opted-in", "not-a-mirror-pod", "not-done"];

/** Returns the fields that may exclude opted-in pods from the webhook, by their own names. */
export function narrowingsOf({ objectSelector = {}, matchConditions = [], rules = [] }: Omit<WebhookEntry, "name">): readonly string[] {
  const isSelective = [Object.keys(objectSelector.matchLabels ?? {}), objectSelector.matchExpressions ?? []].some(
    ({ length }) => length > 0,
  );
  const others = matchConditions.map(({ name = "" }) => name).filter((name) => !SHIPPED_CONDITIONS.includes(name));
  const has = (all: readonly string[] | undefined, wanted: string): boolean =>
    all?.some((each) => each === wanted || each === "*") === true;
  const isAsked = rules.some(
    ({ apiGroups, operations, resources }) =>
      has(apiGroups, "") && has(operations, "CREATE") && (has(resources, "pods") || has(resources, "*/*")),
  );
  return [...(isSelective ? ["objectSelector"] : []), ...others.map((name) => `matchConditions[${name}]`), ...(isAsked ? [] : ["rules"])];
}

/** Returns every certificate in a PEM text, in order. */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      // The API server also ignores a block that is not a certificate.
      return [];
    }
  });
}

/** Returns when the certificates in the `caBundle` of a webhook configuration expire, in Unix milliseconds. */
export function endsOf(caBundle: string | undefined): readonly number[] {
  return certificatesOf(decoded(caBundle)).map(({ validToDate }) => validToDate.getTime());
}

/** Decodes base64, which the API uses for bytes. */
export function decoded(bytes: string | undefined): string {
  return Buffer.from(bytes ?? "", "base64").toString("utf8");
}

export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
