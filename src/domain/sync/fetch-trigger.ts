import { SECRET_ANNOTATIONS } from "../annotations.ts";
import type { SecretObject } from "../kubernetes.ts";
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
  | "PollDue";

/** What can be told without values: the fingerprint covers the data, the class the rest. */
export function isAsWritten(className: string, secretObject: SecretObject, observed: ObservedSecret | undefined): boolean {
  if (observed === undefined || !observed.isContentIntact || hasDriverMarks(observed)) return false;
  if (observed.annotations[SECRET_ANNOTATIONS.class] !== className) return false;
  if (observed.type !== secretObject.type?.trim()) return false;
  return (
    containsAll(observed.labels, secretObject.labels) &&
    containsAll(observed.annotations, secretObject.annotations) &&
    observed.annotations[SECRET_ANNOTATIONS.objects] !== undefined
  );
}

function containsAll(actual: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => actual[key] === value);
}
