import { WEBHOOK_CONFIGURATION, WEBHOOK_ENTRY } from "./names.ts";

/** The part of a MutatingWebhookConfiguration that matters here. */
export interface WebhookEntryFacts {
  readonly name: string;
  /** Base64, as it is on the wire; undefined or empty where there is none. */
  readonly caBundle: string | undefined;
}

export type PublicationStep =
  | { readonly kind: "current" }
  | { readonly kind: "publish"; readonly reason: "BundleMissing" | "BundleDiffers"; readonly message: string }
  /** Nothing may be written: an apply would create an object or an entry that is no valid webhook. */
  | { readonly kind: "blocked"; readonly reason: "ConfigurationMissing" | "EntryMissing"; readonly message: string };

/** `entries` undefined: there is no such configuration. `wanted` is base64. */
export function publicationStep(entries: readonly WebhookEntryFacts[] | undefined, wanted: string): PublicationStep {
  if (entries === undefined) {
    return {
      kind: "blocked",
      reason: "ConfigurationMissing",
      message: `MutatingWebhookConfiguration ${WEBHOOK_CONFIGURATION} does not exist: apply the manifests that contain it`,
    };
  }
  const entry = entries.find(({ name }) => name === WEBHOOK_ENTRY);
  if (entry === undefined) {
    return {
      kind: "blocked",
      reason: "EntryMissing",
      message: `MutatingWebhookConfiguration ${WEBHOOK_CONFIGURATION} has no webhook named ${WEBHOOK_ENTRY}: apply the manifests again`,
    };
  }
  if (entry.caBundle === wanted) return { kind: "current" };
  if (entry.caBundle === undefined || entry.caBundle === "") {
    return { kind: "publish", reason: "BundleMissing", message: "the webhook has no caBundle" };
  }
  return { kind: "publish", reason: "BundleDiffers", message: "the webhook's caBundle is not what the CA Secret says" };
}
