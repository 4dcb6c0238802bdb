import { WEBHOOK_CONFIGURATION, WEBHOOK_ENTRY, WEBHOOK_FIELD_MANAGER } from "../domain/certificates/names.ts";
import { publicationStep, type WebhookEntryFacts } from "../domain/certificates/publication-policy.ts";
import type { AuthorityCertificate } from "../domain/certificates/verdict.ts";
import { apiVersionOf, type KubeObject, RESOURCES } from "../domain/kubernetes.ts";
import { type KubeClient, KubeError, type Logger } from "../domain/ports.ts";

/** What API servers trust after a look at the configuration. */
export interface Publication {
  /** Fingerprints of the live bundle. */
  readonly published: ReadonlySet<string>;
  readonly wrote: boolean;
  /** Why nothing could be published, naming what is missing and the remedy; undefined where the bundle is as wanted. */
  readonly blocked: string | undefined;
}

interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig?: { readonly caBundle?: string } }[];
}

const RESOURCE = RESOURCES.mutatingWebhookConfigurations;

/** Replicas publish the same bundle, so that a lost race is nearly always a finished job. */
const ATTEMPTS = 3;

/**
 * Makes the live `caBundle` of our one webhook entry exactly `trusted`, and writes nothing where it already is. A configuration or an
 * entry that is not there is reported, never created. Throws KubeError.
 */
export async function publishBundle(
  { client, logger }: { readonly client: KubeClient; readonly logger: Logger },
  trusted: readonly AuthorityCertificate[],
  signal: AbortSignal,
): Promise<Publication> {
  const wanted = Buffer.from(trusted.map(({ pem }) => pem).join("")).toString("base64");
  const published = new Set(trusted.map(({ fingerprint }) => fingerprint));
  for (let attempt = 1; ; attempt += 1) {
    const read = await client.read<WebhookConfiguration>(RESOURCE, { name: WEBHOOK_CONFIGURATION }, signal);
    const live = read.kind === "found" ? read.object : undefined;
    const step = publicationStep(live && entriesOf(live), wanted);
    if (step.kind === "blocked") return { published: new Set(), wrote: false, blocked: step.message };
    if (step.kind === "current" || live === undefined) return { published, wrote: false, blocked: undefined };
    try {
      await applyBundle(client, live, wanted, signal);
      logger.info("published the CA bundle", {
        configuration: WEBHOOK_CONFIGURATION,
        webhook: WEBHOOK_ENTRY,
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

/**
 * Applies that one field. The preconditions matter: without them, an apply onto a configuration or an entry that was deleted a moment
 * ago would create one that holds nothing but a bundle.
 */
async function applyBundle(client: KubeClient, live: WebhookConfiguration, caBundle: string, signal: AbortSignal): Promise<void> {
  const { uid, resourceVersion } = live.metadata;
  const body: WebhookConfiguration = {
    apiVersion: apiVersionOf(RESOURCE),
    kind: RESOURCE.kind,
    metadata: {
      name: WEBHOOK_CONFIGURATION,
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    webhooks: [{ name: WEBHOOK_ENTRY, clientConfig: { caBundle } }],
  };
  await client.apply(RESOURCE, body, { fieldManager: WEBHOOK_FIELD_MANAGER, force: true }, signal);
}
