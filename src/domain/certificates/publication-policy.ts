import { PREFLIGHT_ENTRIES, WEBHOOK_CONFIGURATION, WEBHOOK_ENTRY } from "./names.ts";

/** A configuration that API servers read our CA from. */
export interface PublicationTarget {
  readonly kind: "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration";
  /** Webhooks whose `caBundle` is ours. */
  readonly entries: readonly string[];
}

export const INJECTION_TARGET: PublicationTarget = { kind: "MutatingWebhookConfiguration", entries: [WEBHOOK_ENTRY] };
export const PREFLIGHT_TARGET: PublicationTarget = { kind: "ValidatingWebhookConfiguration", entries: PREFLIGHT_ENTRIES };

/** The part of a webhook configuration that matters here. */
export interface WebhookEntryFacts {
  readonly name: string;
  /** Base64, as it is on the wire; undefined or empty where there is none. */
  readonly caBundle: string | undefined;
}

export type PublicationStep =
  | { readonly kind: "current" }
  | {
      readonly kind: "publish";
      readonly reason: "BundleMissing" | "BundleDiffers";
      readonly message: string;
      /** All of ours that are there: what an apply leaves out it gives up. */
      readonly entries: readonly string[];
    }
  /** Nothing may be written: an apply would create an object or an entry that is no valid webhook. */
  | { readonly kind: "blocked"; readonly reason: "ConfigurationMissing" | "EntryMissing"; readonly message: string };

/** `live` undefined: there is no such configuration. `wanted` is base64. */
export function publicationStep(
  live: readonly WebhookEntryFacts[] | undefined,
  wanted: string,
  { kind, entries }: PublicationTarget = INJECTION_TARGET,
): PublicationStep {
  const configuration = `${kind} ${WEBHOOK_CONFIGURATION}`;
  if (live === undefined) {
    return {
      kind: "blocked",
      reason: "ConfigurationMissing",
      message: `${configuration} does not exist: apply the manifests that contain it`,
    };
  }
  const own = live.filter(({ name }) => entries.includes(name));
  if (own.length === 0) {
    return {
      kind: "blocked",
      reason: "EntryMissing",
      message: `${configuration} has no webhook named ${entries.join(" or ")}: apply the manifests again`,
    };
  }
  const stale = own.find(({ caBundle }) => caBundle !== wanted);
  if (stale === undefined) return { kind: "current" };
  const names = own.map(({ name }) => name);
  if (stale.caBundle === undefined || stale.caBundle === "") {
    return { kind: "publish", reason: "BundleMissing", message: "the webhook has no caBundle", entries: names };
  }
  return { kind: "publish", reason: "BundleDiffers", message: "the webhook's caBundle does not match the CA Secret", entries: names };
}
