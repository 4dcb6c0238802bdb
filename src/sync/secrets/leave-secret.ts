import { SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import type { WorkerContext } from "../worker-context.ts";

export interface Leaving {
  readonly secret: ObservedSecret;
  readonly className: string;
  /** Another class of the namespace that names the Secret, and would write it now. */
  readonly heir: string;
  readonly why: string;
}

/**
 * Gives a Secret as it is to another class. That class may not be able to write it yet; it is named in the Secret from now on, so that it
 * keeps it, and removes it when it does not want it either: a Secret that names a class which let go of it would be nobody's.
 */
export async function leaveSecret(context: WorkerContext, { secret, className, heir, why }: Leaving, signal: AbortSignal): Promise<void> {
  const { ref, uid, resourceVersion, annotations } = secret;
  const key = `${ref.namespace ?? ""}/${heir}`;
  context.logger.info("leaving a Secret to another class that names it", {
    class: `${ref.namespace ?? ""}/${className}`,
    secret: ref.name,
    heir: key,
    why,
  });
  const named = { [SECRET_ANNOTATIONS.class]: heir };
  if (context.blind !== undefined) context.blind.remember({ ...secret, annotations: { ...annotations, ...named } });
  else {
    const patch = { metadata: { uid, resourceVersion, annotations: named } };
    await context.kube.mergePatch(RESOURCES.secrets, ref, patch, { fieldManager: FIELD_MANAGER }, signal);
    context.metrics.secretWrites.inc({ action: "leave" });
  }
  context.memories.retryNow(key, context.clock.now());
  context.lookAt(key);
}
