import { memberOf } from "../domain/json-members.ts";
import { type KubeObject, RESOURCES } from "../domain/kubernetes.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { Logger } from "../domain/ports/logger.ts";

export interface OneInstanceOptions {
  readonly kube: KubeClient;
  /** Namespace of this process. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Name of the webhook configurations. They are cluster-scoped, so they show where the one instance is. */
const INSTANCE_CONFIGURATION = "keyvault-injector";

/** Pause in milliseconds before the next attempt if the API server does not respond. */
const RETRY_MS = 2_000;

/**
 * Rejects, and names the other namespace, if the cluster has an instance elsewhere. Resolves if this is the only instance, or if the
 * process has no permission to find out. The policy that keeps a second instance from taking over may be missing, but then this permission
 * is missing as well.
 */
export async function assertOnlyInstance(options: OneInstanceOptions, signal: AbortSignal): Promise<void> {
  const { kube, namespace, clock, logger } = options;
  for (;;) {
    try {
      const ref = { name: INSTANCE_CONFIGURATION };
      const found = await kube.read<KubeObject>(RESOURCES.mutatingWebhookConfigurations, ref, signal);
      const other = otherInstance(found.kind === "found" ? found.object : undefined, namespace);
      if (other !== undefined) throw new SecondInstance(other, namespace);
      return;
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      if (error.code === "Forbidden") {
        logger.warn("cannot determine whether another instance is installed", { error });
        return;
      }
    }
    await clock.sleep(RETRY_MS, signal);
  }
}

/** Returns the namespace of another instance, which the webhook configuration names; undefined if there is none, or if it is this one. */
export function otherInstance(configuration: KubeObject | undefined, namespace: string): string | undefined {
  const { webhooks = [] } = (configuration ?? {}) as { readonly webhooks?: readonly unknown[] }; // Has the type of the kind that was read.
  const places = webhooks.map(namespaceOf).filter((place) => place !== undefined);
  return places.includes(namespace) ? undefined : places[0];
}

function namespaceOf(webhook: unknown): string | undefined {
  const { namespace } = memberOf(memberOf(Object(webhook), "clientConfig"), "service");
  return typeof namespace === "string" ? namespace : undefined;
}

class SecondInstance extends Error {
  override readonly name = "SecondInstance";

  constructor(other: string, namespace: string) {
    super(
      `keyvault-injector is already installed in namespace ${other}, and a cluster can have only one instance: this one, in namespace ${namespace}, ` +
        `does nothing. Remove it, or uninstall the other first (docs/how-to/uninstall.md)`,
    );
  }
}
