import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { refOf } from "../../domain/object-key.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import { adoptedNames, isAdopted, isAdoptionAgreed } from "../../domain/sync/take-over.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import type { WorkerContext } from "../worker-context.ts";
import { writtenFor } from "./secret-store.ts";

const { class: ofClass, objects, content, adopted } = SECRET_ANNOTATIONS;

/** Gives back what one of the two sides no longer agrees to. */
export async function releaseDisagreed(context: WorkerContext, provider: SecretProviderClass, signal: AbortSignal): Promise<void> {
  const { name } = provider.metadata;
  const adopts = adoptedNames(provider);
  const secrets = writtenFor(context.secrets, refOf(provider)).filter(isAdopted);
  for (const secret of secrets)
    if (!isAdoptionAgreed(secret, name, adopts))
      await releaseSecret(context, { secret, className: name, why: "it is no longer adopted" }, signal);
}

export interface Release {
  readonly secret: ObservedSecret;
  readonly className: string;
  readonly why: string;
}

/** Takes our label and annotations off a Secret that was there before its class. Its content stays. */
export async function releaseSecret(context: WorkerContext, { secret, className, why }: Release, signal: AbortSignal): Promise<void> {
  const { ref, uid, resourceVersion } = secret;
  context.logger.info("giving back a Secret", { class: `${ref.namespace ?? ""}/${className}`, secret: ref.name, why });
  const patch = {
    metadata: {
      uid,
      resourceVersion,
      labels: { [MANAGED_LABEL]: null },
      annotations: { [ofClass]: null, [objects]: null, [content]: null, [adopted]: null },
    },
  };
  await context.kube.mergePatch(RESOURCES.secrets, ref, patch, { fieldManager: FIELD_MANAGER }, signal);
  context.metrics.secretWrites.inc({ action: "release" });
}
