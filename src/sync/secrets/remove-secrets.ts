import { RESOURCES } from "../../domain/kubernetes.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import { isGivenBack } from "../../domain/sync/take-over.ts";
import type { WorkerContext } from "../worker-context.ts";
import { leaveSecret } from "./leave-secret.ts";
import { releaseSecret } from "./release-secrets.ts";
import { deleteBlindly } from "./write-blindly.ts";
import { isMirrored } from "./write-mirrored.ts";

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
  for (const secret of secrets) {
    const { ref, uid, resourceVersion } = secret;
    const namespace = ref.namespace ?? "";
    if (isGivenBack(secret)) {
      await releaseSecret(context, { secret, className, why }, signal);
      continue;
    }
    const heir = heirOf(context, { namespace, name: ref.name, className });
    if (heir !== undefined) {
      await leaveSecret(context, { secret, className, heir, why }, signal);
      continue;
    }
    context.logger.info("removing a Secret", { class: `${namespace}/${className}`, secret: ref.name, why });
    if (context.blind !== undefined) await deleteBlindly({ ...context, blind: context.blind }, ref, signal);
    else await context.kube.delete(RESOURCES.secrets, ref, { uid, resourceVersion }, signal);
    context.metrics.secretWrites.inc({ action: "delete" });
  }
}

/** The oldest of those that would write it now: one that does not mirror would leave it lying. */
function heirOf(
  context: WorkerContext,
  taken: { readonly namespace: string; readonly name: string; readonly className: string },
): string | undefined {
  const claimants = context.claims.of(taken.namespace, taken.name);
  return claimants.find((candidate) => candidate.metadata.name !== taken.className && isMirrored(context, candidate))?.metadata.name;
}
