import { type ObjectRef, RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import { objectKey, refOf } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { OwnedFields } from "../../domain/sync/observed-secret.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { findByName } from "../find-by-name.ts";
import { driverMarks } from "./take-over-secret.ts";

/** Applies a Secret onto the one whose uid and version it names, and takes entries of ours off that it has no more. */
export async function applyWithout(kube: KubeClient, body: Secret, removed: OwnedFields, signal: AbortSignal): Promise<void> {
  const applied = await kube
    .apply<Secret>(RESOURCES.secrets, body, { fieldManager: FIELD_MANAGER, force: true }, signal)
    .catch((error: unknown) => explained(kube, body, { error, signal }));
  const patch = removal(removed, applied);
  if (patch !== undefined) await kube.mergePatch(RESOURCES.secrets, refOf(body), patch, { fieldManager: FIELD_MANAGER }, signal);
}

/**
 * Nothing is deleted before the API server has said that it would take what replaces it. For a valid body under a taken
 * name that is `AlreadyExists`; an invalid one is refused as such.
 */
export async function assertAcceptable(kube: KubeClient, body: Secret, signal: AbortSignal): Promise<void> {
  try {
    await kube.create(RESOURCES.secrets, body, { fieldManager: FIELD_MANAGER, dryRun: true }, signal);
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "AlreadyExists") throw error;
  }
}

/** Taken and free in turn: somebody else is at it. */
export function changingHands(ref: ObjectRef): KubeError {
  return new KubeError("Conflict", `Secret ${objectKey(ref)} is being handed over to another class`, { retry: { kind: "backoff" } });
}

/** Of a Secret that was deleted and made anew since it was seen, the API server says that the uid is invalid: the content is not. */
async function explained(
  kube: KubeClient,
  body: Secret,
  { error, signal }: { readonly error: unknown; readonly signal: AbortSignal },
): Promise<never> {
  if (!(error instanceof KubeError) || error.code !== "Invalid") throw error;
  const live = await findByName<Secret>(kube, { resource: RESOURCES.secrets, ref: refOf(body) }, signal);
  throw live?.metadata.uid === body.metadata.uid ? error : changingHands(refOf(body));
}

/** What the apply left of the entries that the create had written. */
function removal(removed: OwnedFields, live: Secret): unknown {
  const nulls = (keys: readonly string[], present: Readonly<Record<string, string>> | undefined): Readonly<Record<string, null>> =>
    Object.fromEntries(keys.filter((key) => present?.[key] !== undefined).map((key) => [key, null]));
  const marks = driverMarks(live);
  const data = nulls(removed.data, live.data);
  const labels = { ...nulls(removed.labels, live.metadata.labels), ...marks.labels };
  const annotations = nulls(removed.annotations, live.metadata.annotations);
  if (Object.keys({ ...data, ...labels, ...annotations, ...marks.owners }).length === 0) return undefined;
  const { uid, resourceVersion } = live.metadata;
  return { metadata: { uid, resourceVersion, labels, annotations, ...marks.owners }, data };
}
