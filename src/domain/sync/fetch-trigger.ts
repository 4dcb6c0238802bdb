import { SECRET_ANNOTATIONS } from "../annotations.ts";
import type { SecretObject } from "../kubernetes.ts";
import { hasEntries } from "../text-map.ts";
import type { ObservedSecret } from "./observed-secret.ts";
import { hasDriverMarks } from "./take-over.ts";

/** Why the vault is asked. */
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
  /** An event of the vault told of an object. */
  | "EventReceived";

/** What can be told without values: the fingerprint covers the data, the class the rest. */
export function isAsWritten(className: string, secretObject: SecretObject, observed: ObservedSecret | undefined): boolean {
  if (observed === undefined || !observed.isContentIntact || hasDriverMarks(observed)) return false;
  if (observed.annotations[SECRET_ANNOTATIONS.class] !== className) return false;
  if (observed.type !== secretObject.type?.trim()) return false;
  // Its labels and annotations are not held: they are compared when it is next written, on the Secret as it is then.
  if (observed.isPartial === true) return true;
  return (
    hasEntries(observed.labels, secretObject.labels) &&
    hasEntries(observed.annotations, secretObject.annotations) &&
    observed.annotations[SECRET_ANNOTATIONS.objects] !== undefined
  );
}
