import { SECRET_ANNOTATIONS } from "../annotations.ts";
import type { SecretObject } from "../kubernetes.ts";
import type { ObservedSecret } from "./observed-secret.ts";
import { hasDriverMarks } from "./take-over.ts";

/** Everything that decides whether the vault has to be asked now. */
export interface FetchFacts {
  readonly className: string;
  /** Of the class. */
  readonly generation: number;
  /** Generation that the last written status speaks of; undefined without a status. */
  readonly observedGeneration: number | undefined;
  /** By the last written status a Secret was written from something else than the class has now. */
  readonly isSpecNew: boolean;
  /** The last attempt failed, and its back-off has run out. */
  readonly isRetryDue: boolean;
  /** Without those that failed and wait for their next attempt: they are missing because they failed. */
  readonly secretObjects: readonly SecretObject[];
  /** Live Secret by name. */
  readonly observed: ReadonlyMap<string, ObservedSecret>;
  /** Value of the refresh annotation now, and at the last fetch. */
  readonly refresh: string | undefined;
  readonly lastRefresh: string | undefined;
  readonly isPollDue: boolean;
  /** A pod mounts the class again, or for the first time, and its Secrets are not there because none did. */
  readonly isUseNew: boolean;
  /** The stored status says that somebody undoes our repairs, and nobody does any more. */
  readonly isContestOver: boolean;
}

export type FetchNeed =
  | "NeverSynced"
  | "ClassChanged"
  | "RetryDue"
  | "RefreshAsked"
  | "UseBegan"
  | "SecretMissing"
  | "SecretEdited"
  | "ContestOver"
  | "PollDue";

type Check = (facts: FetchFacts) => FetchNeed | undefined;

const neverSynced: Check = ({ observedGeneration }) => (observedGeneration === undefined ? "NeverSynced" : undefined);

/** One that was deleted and created anew with another spec has the same generation. */
const classChanged: Check = ({ generation, observedGeneration, isSpecNew }) =>
  generation === observedGeneration && !isSpecNew ? undefined : "ClassChanged";

const retryDue: Check = ({ isRetryDue }) => (isRetryDue ? "RetryDue" : undefined);

const refreshAsked: Check = ({ refresh, lastRefresh }) => (refresh === lastRefresh ? undefined : "RefreshAsked");

const useBegan: Check = ({ isUseNew }) => (isUseNew ? "UseBegan" : undefined);

const secretMissing: Check = ({ secretObjects, observed }) =>
  secretObjects.every(({ secretName }) => observed.has(secretName ?? "")) ? undefined : "SecretMissing";

const secretEdited: Check = ({ className, secretObjects, observed }) =>
  secretObjects.every((secretObject) => isAsWritten(className, secretObject, observed.get(secretObject.secretName ?? "")))
    ? undefined
    : "SecretEdited";

const contestOver: Check = ({ isContestOver }) => (isContestOver ? "ContestOver" : undefined);

const pollDue: Check = ({ isPollDue }) => (isPollDue ? "PollDue" : undefined);

/** The first that applies is the one that is logged. */
const checks: readonly Check[] = [
  neverSynced,
  classChanged,
  retryDue,
  refreshAsked,
  useBegan,
  secretMissing,
  secretEdited,
  contestOver,
  pollDue,
];

/** Undefined: nothing but the poll is awaited. */
export function fetchNeed(facts: FetchFacts): FetchNeed | undefined {
  for (const check of checks) {
    const need = check(facts);
    if (need !== undefined) return need;
  }
  return undefined;
}

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
