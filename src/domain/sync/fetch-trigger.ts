import { SECRET_ANNOTATIONS } from "../annotations.ts";
import type { SecretObject } from "../kubernetes.ts";
import { hasEntries } from "../text-map.ts";
import { argoAnnotations } from "./argo-cd.ts";
import type { ObservedSecret } from "./observed-secret.ts";
import { hasDriverMarks } from "./take-over.ts";

/** Why the worker queries the vault. */
export type FetchTrigger =
  | "NeverSynced"
  | "ClassChanged"
  | "RetryDue"
  | "RefreshAsked"
  | "UseBegan"
  | "SecretMissing"
  | "SecretEdited"
  | "ContestOver"
  | "PollDue"
  /** An event of the vault named an object. */
  | "EventReceived";

/**
 * Whether the Secret is as the worker wrote it, as far as this can be checked without values: the fingerprint covers the data, and the
 * class determines the rest.
 */
export function isAsWritten(className: string, secretObject: SecretObject, observed: ObservedSecret | undefined): boolean {
  if (observed === undefined || !observed.isContentIntact || hasDriverMarks(observed)) return false;
  if (observed.annotations[SECRET_ANNOTATIONS.class] !== className) return false;
  if (observed.type !== secretObject.type?.trim()) return false;
  // The worker does not hold its labels and annotations. It compares them right before the next write, with the live Secret.
  if (observed.isPartial === true) return true;
  return (
    hasEntries(observed.labels, secretObject.labels) &&
    hasEntries(observed.annotations, secretObject.annotations) &&
    observed.annotations[SECRET_ANNOTATIONS.objects] !== undefined
  );
}

/**
 * Whether the Secret is as the worker would write it now, as far as {@link isAsWritten} can check this. A Secret that an earlier release
 * wrote may lack annotations. Because nothing is damaged, the next poll completes the Secret, not a repair.
 */
export function isAsWrittenNow(className: string, secretObject: SecretObject, observed: ObservedSecret): boolean {
  if (!isAsWritten(className, secretObject, observed)) return false;
  return observed.isPartial === true || hasEntries(observed.annotations, argoAnnotations(secretObject.labels));
}
