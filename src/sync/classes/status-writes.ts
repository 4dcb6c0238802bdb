import { type ObjectRef, RESOURCES } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import { type SecretProviderClassSync, storedForm } from "../../domain/sync/stored-status.ts";
import { FIELD_MANAGER } from "../field-manager.ts";

const RESOURCE = RESOURCES.secretProviderClassSyncs;

export interface StatusWrite {
  readonly ref: ObjectRef;
  readonly status: ClassStatus;
  readonly isNew: boolean;
  readonly generation: number | undefined;
}

/** Resolves to the resourceVersion that was written; undefined if the CRD is missing. */
export async function applyStatus(
  options: { readonly kube: KubeClient; readonly logger: Logger },
  write: StatusWrite,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { kube, logger } = options;
  const { ref, status, isNew } = write;
  const written = { fieldManager: FIELD_MANAGER, force: true };
  try {
    const shellMade = isNew ? await kube.apply<SecretProviderClassSync>(RESOURCE, shell(ref), written, signal) : undefined;
    const body = { ...shell(ref), status: storedForm(status, shellMade?.metadata.generation ?? write.generation) };
    const made = await kube.apply<SecretProviderClassSync>(RESOURCE, body, { ...written, subresource: "status" }, signal);
    return made.metadata.resourceVersion ?? "";
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "NotFound") throw error;
    // The object may be deleted without an event from the watch yet.
    if (!isNew) return applyStatus(options, { ...write, isNew: true }, signal);
    logger.debug("the status could not be stored because its CRD is missing", { class: objectKey(ref) });
    return undefined;
  }
}

function shell({ namespace, name }: ObjectRef): SecretProviderClassSync {
  return {
    apiVersion: `${RESOURCE.group}/${RESOURCE.version}`,
    kind: RESOURCE.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  };
}

/** Returns false if there was nothing to delete, for example because the CRD is missing. */
export async function deleteStatus(kube: KubeClient, ref: ObjectRef, signal: AbortSignal): Promise<boolean> {
  try {
    return await kube.delete(RESOURCE, ref, {}, signal);
  } catch (error) {
    if (error instanceof KubeError && error.code === "NotFound") return false;
    throw error;
  }
}
