import { WEBHOOK_CONFIGURATION, WEBHOOK_FIELD_MANAGER } from "../domain/certificates/names.ts";
import {
  INJECTION_TARGET,
  type PublicationTarget,
  publicationStep,
  type WebhookEntryFacts,
} from "../domain/certificates/publication-policy.ts";
import type { AuthorityCertificate } from "../domain/certificates/verdict.ts";
import { apiVersionOf, type KubeObject, RESOURCES, type Resource } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { Logger } from "../domain/ports/logger.ts";

/** The published bundle after a pass over the configuration. */
export interface Publication {
  /** Fingerprints of the live bundle. */
  readonly published: ReadonlySet<string>;
  readonly wrote: boolean;
  /** Reason why the bundle could not be published, with the missing part and the remedy; undefined if the bundle is as wanted. */
  readonly blocked: string | undefined;
}

interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig?: { readonly caBundle?: string } }[];
}

const TARGET_RESOURCES: Readonly<Record<PublicationTarget["kind"], Resource>> = {
  MutatingWebhookConfiguration: RESOURCES.mutatingWebhookConfigurations,
  ValidatingWebhookConfiguration: RESOURCES.validatingWebhookConfigurations,
};

/** Replicas publish the same bundle, so a lost race nearly always means that the work is done. */
const ATTEMPTS = 3;

/**
 * Makes the live `caBundle` of our webhook entries exactly `trusted`, and writes nothing if it already is. Reports a missing configuration
 * or entry, but never creates one. Throws KubeError.
 */
export async function publishBundle(
  { client, logger }: { readonly client: KubeClient; readonly logger: Logger },
  trusted: readonly AuthorityCertificate[],
  signal: AbortSignal,
  target: PublicationTarget = INJECTION_TARGET,
): Promise<Publication> {
  const resource = TARGET_RESOURCES[target.kind];
  const wanted = Buffer.from(trusted.map(({ pem }) => pem).join("")).toString("base64");
  const published = new Set(trusted.map(({ fingerprint }) => fingerprint));
  for (let attempt = 1; ; attempt += 1) {
    const read = await client.read<WebhookConfiguration>(resource, { name: WEBHOOK_CONFIGURATION }, signal);
    const live = read.kind === "found" ? read.object : undefined;
    const step = publicationStep(live && entriesOf(live), wanted, target);
    if (step.kind === "blocked") return { published: new Set(), wrote: false, blocked: step.message };
    if (step.kind === "current" || live === undefined) return { published, wrote: false, blocked: undefined };
    try {
      const body = bundleOnly({ live, resource, entries: step.entries, caBundle: wanted });
      await client.apply(resource, body, { fieldManager: WEBHOOK_FIELD_MANAGER, force: true }, signal);
      logger.info("published the CA bundle", {
        configuration: WEBHOOK_CONFIGURATION,
        kind: target.kind,
        webhooks: step.entries,
        reason: step.reason,
        certificates: trusted.length,
      });
      return { published, wrote: true, blocked: undefined };
    } catch (error) {
      const isLostRace = error instanceof KubeError && error.code === "Conflict";
      if (!isLostRace || attempt === ATTEMPTS) throw error;
    }
  }
}

function entriesOf(configuration: WebhookConfiguration): readonly WebhookEntryFacts[] {
  return (configuration.webhooks ?? []).map(({ name, clientConfig }) => ({ name, caBundle: clientConfig?.caBundle }));
}

interface BundleBody {
  readonly live: WebhookConfiguration;
  readonly resource: Resource;
  readonly entries: readonly string[];
  readonly caBundle: string;
}

/**
 * Returns only that one field of each entry. The preconditions matter: without them, an apply to a configuration or an entry that was just
 * deleted would create one that contains only a bundle.
 */
function bundleOnly({ live, resource, entries, caBundle }: BundleBody): WebhookConfiguration {
  const { uid, resourceVersion } = live.metadata;
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: {
      name: WEBHOOK_CONFIGURATION,
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    webhooks: entries.map((name) => ({ name, clientConfig: { caBundle } })),
  };
}
