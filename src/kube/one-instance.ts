import { type KubeObject, RESOURCES } from "../domain/kubernetes.ts";
import { INSTANCE_CONFIGURATION, otherInstance } from "../domain/one-instance.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { Logger } from "../domain/ports/logger.ts";

export interface OneInstanceOptions {
  readonly kube: KubeClient;
  /** Of this process. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An API server that does not answer is asked again after this (milliseconds). */
const RETRY_MS = 2_000;

/**
 * Rejects, naming the other's namespace, where the cluster has an instance elsewhere. Resolves where this is the one, or nobody can
 * say: the policy that keeps a second one from taking over may be missing, but so is then the right to ask.
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
        logger.warn("whether another instance is installed is not known", { error });
        return;
      }
    }
    await clock.sleep(RETRY_MS, signal);
  }
}

class SecondInstance extends Error {
  override readonly name = "SecondInstance";

  constructor(other: string, namespace: string) {
    super(
      `keyvault-injector is installed in namespace ${other} already, and a cluster takes one instance: this one, in namespace ${namespace}, ` +
        `does nothing. Remove it, or uninstall the other first (docs/how-to/uninstall.md)`,
    );
  }
}
