import { PREFLIGHT_ENTRIES, WEBHOOK_CONFIGURATION, WEBHOOK_ENTRY } from "./names.ts";

/** A webhook configuration from which API servers read the CA. */
export interface PublicationTarget {
  readonly kind: "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration";
  /** Webhooks whose `caBundle` this project owns. */
  readonly entries: readonly string[];
}

export const INJECTION_TARGET: PublicationTarget = { kind: "MutatingWebhookConfiguration", entries: [WEBHOOK_ENTRY] };
export const PREFLIGHT_TARGET: PublicationTarget = { kind: "ValidatingWebhookConfiguration", entries: PREFLIGHT_ENTRIES };

/** The relevant part of a webhook configuration. */
export interface WebhookEntryFacts {
  readonly name: string;
  /** Base64, as in the API; undefined or empty if the entry has none. */
  readonly caBundle: string | undefined;
}

export type PublicationStep =
  | { readonly kind: "current" }
  | {
      readonly kind: "publish";
      readonly reason: "BundleMissing" | "BundleDiffers";
      readonly message: string;
      /** All entries of this project that exist. An apply gives up ownership of every entry that it omits. */
      readonly entries: readonly string[];
    }
  /** The replica must write nothing. An apply would create a configuration or an entry that is not a valid webhook. */
  | { readonly kind: "blocked"; readonly reason: "ConfigurationMissing" | "EntryMissing"; readonly message: string };

/** Returns the next step. `live` is undefined if the configuration does not exist. `wanted` is base64. */
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
