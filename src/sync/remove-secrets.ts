import { RESOURCES } from "../domain/kubernetes.ts";
import { secretObjectsOf } from "../domain/sync/named-secrets.ts";
import type { ObservedSecret } from "../domain/sync/observed-secret.ts";
import type { WorkerContext } from "./worker-context.ts";

export interface Removal {
  readonly secrets: readonly ObservedSecret[];
  /** The class that wrote them and does not want them any more. */
  readonly className: string;
  readonly why: string;
}

/**
 * Deletes Secrets as they were seen: one that was written since is looked at anew. A Secret that another class of the
 * namespace names is handed to that class instead, so that a secretName can move without a moment of absence.
 */
export async function removeSecrets(context: WorkerContext, { secrets, className, why }: Removal, signal: AbortSignal): Promise<void> {
  for (const { ref, uid, resourceVersion } of secrets) {
    const namespace = ref.namespace ?? "";
    const heir = heirOf(context, { namespace, name: ref.name, className });
    if (heir === undefined) {
      context.logger.info("removing a Secret", { class: `${namespace}/${className}`, secret: ref.name, why });
      await context.kube.delete(RESOURCES.secrets, ref, { uid, resourceVersion }, signal);
      context.metrics.secretWrites.inc({ action: "delete" });
    } else {
      const key = `${namespace}/${heir}`;
      context.logger.info("leaving a Secret to another class that names it", {
        class: `${namespace}/${className}`,
        secret: ref.name,
        heir: key,
        why,
      });
      context.memories.retryNow(key, context.clock.now());
      context.lookAt(key);
    }
  }
}

function heirOf(
  context: WorkerContext,
  taken: { readonly namespace: string; readonly name: string; readonly className: string },
): string | undefined {
  const heir = context.classes
    .list()
    .find(
      (candidate) =>
        candidate.metadata.namespace === taken.namespace &&
        candidate.metadata.name !== taken.className &&
        secretObjectsOf(candidate).some(({ secretName }) => secretName === taken.name),
    );
  return heir?.metadata.name;
}
