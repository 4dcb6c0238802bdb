import { type ObjectRef, RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import { objectKey, refOf } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { OwnedFields } from "../../domain/sync/observed-secret.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { findByName } from "../find-by-name.ts";
import { driverMarks } from "./take-over-secret.ts";

/**
 * Applies a Secret to the live one with the same uid and resourceVersion. Then removes the entries in `removed`, and the driver's marks, if
 * the apply left them.
 */
export async function applyWithout(kube: KubeClient, body: Secret, removed: OwnedFields, signal: AbortSignal): Promise<void> {
  const applied = await kube
    .apply<Secret>(RESOURCES.secrets, body, { fieldManager: FIELD_MANAGER, force: true }, signal)
    .catch((error: unknown) => explained(kube, body, { error, signal }));
  const patch = removal(removed, applied);
  if (patch !== undefined) await kube.mergePatch(RESOURCES.secrets, refOf(body), patch, { fieldManager: FIELD_MANAGER }, signal);
}

/**
 * Checks with a dry run that the API server accepts the new Secret, before the worker deletes the old one. For a valid body under a taken
 * name, the API server answers `AlreadyExists`. It rejects an invalid body as such.
 */
export async function assertAcceptable(kube: KubeClient, body: Secret, signal: AbortSignal): Promise<void> {
  try {
    await kube.create(RESOURCES.secrets, body, { fieldManager: FIELD_MANAGER, dryRun: true }, signal);
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== "AlreadyExists") throw error;
  }
}

/**
 * Returns the error for a name that is taken in one request and free in the next, because someone else writes the Secret at the same time.
 */
export function changingHands(ref: ObjectRef): KubeError {
  return new KubeError("Conflict", `Secret ${objectKey(ref)} is being handed over to another class`, { retry: { kind: "backoff" } });
}

/**
 * Throws `Conflict` if the Secret was deleted and recreated since the worker saw it: the API server then reports an invalid uid, although
 * the content is valid. Otherwise throws the original error.
 */
async function explained(
  kube: KubeClient,
  body: Secret,
  { error, signal }: { readonly error: unknown; readonly signal: AbortSignal },
): Promise<never> {
  if (!(error instanceof KubeError) || error.code !== "Invalid") throw error;
  const live = await findByName<Secret>(kube, { resource: RESOURCES.secrets, ref: refOf(body) }, signal);
  throw live?.metadata.uid === body.metadata.uid ? error : changingHands(refOf(body));
}

/**
 * Returns the merge patch that removes the entries that the apply left behind, because the create had written them; undefined if none are
 * left.
 */
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
