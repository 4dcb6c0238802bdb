import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { assertNever } from "../../domain/assert-never.ts";
import { mirrorConsentOf, takesFrom } from "../../domain/grants/mirror-consent.ts";
import { type KubeObject, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { objectKey, refOfKey } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { type CopiesObservation, type CopyRemoval, REMOVAL_WORDS } from "../../domain/sync/copies/copies-plan.ts";
import { findByName } from "../find-by-name.ts";
import type { CrdHealth } from "../healing/crd-health.ts";
import type { CopyWriting } from "./write-copy.ts";

export interface CopyRemoving extends CopyWriting {
  readonly crdHealth: Pick<CrdHealth, "state" | "confirm">;
}

/** The class for which a removal was planned. */
type RemovalSubject = Pick<CopiesObservation, "key" | "resourceVersion">;

/** Deletes a copy. Returns false if the API server does not confirm the reason, because the plan is outdated. The class is read before its CRD. */
export async function removeCopy(
  removing: CopyRemoving,
  subject: RemovalSubject,
  { secret, reason }: CopyRemoval,
  signal: AbortSignal,
): Promise<boolean> {
  const { kube, crdHealth, logger, written } = removing;
  if (!(await isClassAsPlanned(kube, subject, signal))) return false;
  if ((await crdHealth.confirm(signal)).kind !== "whole") return false;
  if (!(await isConfirmed(kube, subject.key, { secret, reason }, signal))) return false;
  logger.info("removing a copy of a Secret", { secret: objectKey(secret.ref), class: subject.key, why: REMOVAL_WORDS[reason] });
  const { uid, resourceVersion } = secret;
  await kube.delete(RESOURCES.secrets, secret.ref, { uid, resourceVersion }, signal);
  written("delete");
  return true;
}

async function isClassAsPlanned(kube: KubeClient, { key, resourceVersion }: RemovalSubject, signal: AbortSignal): Promise<boolean> {
  const found = await kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, refOfKey(key), signal);
  if (found.kind === "found") return found.object.metadata.resourceVersion === resourceVersion;
  return found.kind === "absent" && resourceVersion === undefined;
}

async function isConfirmed(kube: KubeClient, key: string, { secret, reason }: CopyRemoval, signal: AbortSignal): Promise<boolean> {
  switch (reason) {
    // The unchanged class is itself the proof.
    case "notNamed":
      return true;
    case "notGranted": {
      const ref = { name: secret.ref.namespace ?? "" };
      const namespace = await findByName<KubeObject>(kube, { resource: RESOURCES.namespaces, ref }, signal);
      return namespace !== undefined && !takesFrom(mirrorConsentOf(namespace), key);
    }
    case "sourceGone": {
      const { namespace, name: className } = refOfKey(key);
      const { name } = secret.ref;
      const asked = { namespace, fieldSelector: `metadata.name=${name}`, metadataOnly: true };
      const [source] = await kube.list<KubeObject>(RESOURCES.secrets, asked, signal);
      const { labels = {}, annotations = {} } = source?.metadata ?? {};
      return labels[MANAGED_LABEL] !== "true" || annotations[SECRET_ANNOTATIONS.class] !== className;
    }
    default:
      return assertNever(reason);
  }
}
