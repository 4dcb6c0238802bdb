import { assertNever } from "../../domain/assert-never.ts";
import { blindMirrorProblem } from "../../domain/grants/mirror-targets.ts";
import { isOwner } from "../../domain/healing/field-owners.ts";
import { type CrdIdentity, restoredClass, snapshotDrift } from "../../domain/healing/snapshot.ts";
import { refOfKey } from "../../domain/object-key.ts";
import { type Excess, type HeldClass, MAX_CLASS_CHARACTERS, MAX_CLASS_PARTS, wholeClass } from "../../domain/provider-class/held-class.ts";
import { annotationProblems, pollInterval } from "../../domain/schedule/class-annotations.ts";
import { heldSecrets } from "../../domain/sync/key-status.ts";
import { isOurs, secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { isWrittenFor } from "../../domain/sync/secret-plan.ts";
import { switchedOffBy } from "../../domain/sync/switched-off.ts";
import { adoptedNames, isAdopted, isAdoptionAgreed, isGivenBack } from "../../domain/sync/take-over.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { NAMESPACE_BYTES } from "../room.ts";
import type { WorkerSettings } from "../worker-settings.ts";
import { type Action, type Destructive, type Step, type StepResult, UNSETTLED } from "./action.ts";
import type { Observation, ObservedNamedSecret, ObservedSecrets } from "./observe.ts";

/**
 * Delay while the watch may not have shown a Secret or a workload of the class yet. It is longer than {@link UNSETTLED}, because the class is
 * reconciled immediately when the watch shows it.
 */
const UNSEEN: StepResult = { kind: "requeueAfter", milliseconds: 5_000 };
const DONE: StepResult = { kind: "done" };

/** The class as the API server has it, and its CRD. */
interface Present extends Observation {
  readonly spc: HeldClass;
}

/** Plans what happens to a class, its snapshot, and the Secrets that it no longer names. The result is `continue` if the worker syncs the class. */
export function planClass(observation: Observation, settings: WorkerSettings): Step {
  const { spc, crd } = observation;
  const frozen: readonly Action[] = crd.kind === "frozen" ? [{ kind: "reportFrozen" }] : [];
  if (spc === undefined) return after(frozen, planMissing(observation, settings));
  if (crd.kind === "frozen") return { actions: frozen, result: UNSETTLED };
  const present: Present = { ...observation, spc };
  if (spc.excess !== undefined) return planLarge(present, spc.excess);
  const snapshot = planSnapshot(present, crd);
  return snapshot.result.kind === "continue" ? after(snapshot.actions, planServed(present, settings)) : snapshot;
}

function after(actions: readonly Action[], { actions: others, result }: Step): Step {
  return { actions: [...actions, ...others], result };
}

function planMissing(observation: Observation, settings: WorkerSettings): Step {
  const { key, crd, snapshot, secrets, hasStatus } = observation;
  const { taken } = snapshot;
  const { named } = secrets;
  if (taken === undefined && named.length === 0) {
    const forget: Action = { kind: "forget" };
    if (!hasStatus) return { actions: [forget], result: DONE };
    const preconditions = [{ kind: "classAbsent" }, { kind: "crdHealthy" }] as const;
    return { actions: [forget, { kind: "guarded", preconditions, actions: [{ kind: "dropStatus" }], otherwise: DONE }], result: DONE };
  }
  // While the CRD is frozen, an absence proves nothing, so the API server need not be queried.
  if (crd.kind === "frozen") return { actions: [], result: UNSETTLED };
  const names = unseenNames(observation);
  const preconditions = [
    { kind: "classAbsent" },
    { kind: "crdHealthy", uid: crd.crdUid },
    ...(names.length === 0 ? [] : [{ kind: "noUnseenSecrets", names } as const]),
    { kind: "sameSecrets", named: named.map(({ secret }) => secret) },
  ] as const;
  const actions = missingActions({ className: refOfKey(key).name, crdUid: crd.crdUid, taken, named }, settings);
  const otherwise = names.length === 0 ? UNSETTLED : UNSEEN;
  return { actions: [{ kind: "guarded", preconditions, actions, otherwise }], result: DONE };
}

/**
 * Names of Secrets from the class's snapshot and status for which the live copy has no Secret of the class. Empty for a blind worker, which
 * may not read Secrets.
 */
function unseenNames({ snapshot: { taken }, secrets: { named, isBlind }, status }: Observation): readonly string[] {
  if (taken === undefined || isBlind) return [];
  const wanted = secretObjectsOf(restoredClass(taken)).map(({ secretName }) => secretName);
  const reported = status?.secrets.map(({ name }) => name) ?? [];
  const seen = new Set(named.map(({ secret }) => secret.ref.name));
  return [...new Set([...wanted, ...reported])].filter((name) => name !== "" && !seen.has(name));
}

interface Missing extends Pick<Observation["snapshot"], "taken">, Pick<ObservedSecrets, "named"> {
  readonly className: string;
  readonly crdUid: string;
}

/**
 * The CRD's uid decides, not the order of events: the class watch and the CRD watch are separate streams. If the CRD is recreated right
 * after a deletion, the worker sees the new CRD before the deletions of the old classes. A class that is missing under the CRD of its
 * snapshot was deleted by its owner. A class that is missing under another CRD was lost.
 */
function missingActions({ className, crdUid, taken, named }: Missing, { heal, syncSecret }: WorkerSettings): readonly Destructive[] {
  if (taken === undefined) return [{ kind: "leaveUnexplained", secretNames: named.map(({ secret }) => secret.ref.name) }];
  if (taken.crdUid !== crdUid) return [heal.includes("classes") ? { kind: "restoreClass", snapshot: taken } : { kind: "leaveUnrestored" }];
  // While sync is turned off, the Secrets stay unchanged. After it is turned on again, the snapshot still shows that the class is gone.
  if (!syncSecret) return [];
  const removed = removals(writtenFor(named, className), "its class was deleted");
  // The snapshot is removed last: if the worker crashes before that, the next one finds the snapshot and continues.
  return [...removed, { kind: "dropStatus" }, { kind: "removeSnapshot" }, { kind: "forget" }];
}

/** Returns the class's Secrets that the worker wrote, without copies that someone else made of them. */
export function writtenFor(named: readonly ObservedNamedSecret[], className: string): readonly ObservedNamedSecret[] {
  return named.filter(({ secret }) => isWrittenFor(secret, className));
}

/**
 * Returns the actions that remove the Secrets. If another class of the namespace names a Secret, that class takes it over, so that a
 * secretName can move between classes while the Secret always exists.
 */
export function removals(secrets: readonly ObservedNamedSecret[], why: string): readonly Destructive[] {
  return secrets.map(({ secret, nextOwner }) =>
    isGivenBack(secret) ? { kind: "releaseSecret", secret, why } : { kind: "removeSecret", secret, nextOwner, why },
  );
}

const TOO_LARGE: Readonly<Record<Excess, string>> = {
  characters: `the class has more than ${MAX_CLASS_CHARACTERS} characters, including metadata: remove unused entries, or spread them over several classes`,
  parts: `the class has more than ${MAX_CLASS_PARTS} values, lists, and mappings: remove unused entries, or spread them over several classes`,
  namespace: `the class is waiting for memory: the large classes of a namespace can have at most ${NAMESPACE_BYTES} bytes in total, or less if many namespaces have large classes. Make classes of the namespace smaller, or remove some`,
};

/**
 * Plans a class that is too large to hold. Its Secrets stay unchanged. Its snapshot is removed, because an old snapshot would restore an
 * outdated class.
 */
function planLarge({ spc, status }: Present, excess: Excess): Step {
  const dropped: readonly Action[] = [{ kind: "admit", spc }, { kind: "removeSnapshot" }, { kind: "reset" }];
  const names = secretObjectsOf(spc).map(({ secretName }) => secretName);
  if (!isOurs(spc) || names.length === 0) return { actions: dropped, result: DONE };
  const message = TOO_LARGE[excess];
  const secrets = heldSecrets(names, status?.secrets ?? [], "InvalidClass");
  const outcome = { ...outcomeOf(spc, message), reason: "InvalidClass", secrets, refresh: status?.observedRefresh } as const;
  return {
    actions: [...dropped, { kind: "setStatus", outcome, notice: { kind: "tooLarge", reason: "InvalidClass", message } }],
    result: DONE,
  };
}

function outcomeOf({ metadata }: HeldClass, message: string) {
  return { generation: metadata.generation ?? 0, message, isFresh: undefined };
}

/** Ensures that a class has a snapshot before any of its Secrets is written. The worker can then always tell why a class with Secrets is missing. */
function planSnapshot({ spc, snapshot: { isCurrent, taken } }: Present, crd: CrdIdentity): Step {
  const save: Action = { kind: "saveSnapshot", spc };
  const goOn: StepResult = { kind: "continue" };
  if (isCurrent) return { actions: [], result: goOn };
  if (taken === undefined) return { actions: [save], result: goOn };
  const whole = wholeClass(spc);
  const drift = snapshotDrift(taken, whole, crd);
  switch (drift) {
    case "current":
      return { actions: [], result: goOn };
    case "outdated":
      // If the worker still owns fields, it recreated or completed the class, and ended before the hand-over.
      if (!isOwner(FIELD_MANAGER, whole.metadata.managedFields)) return { actions: [save], result: goOn };
      return { actions: [{ kind: "handOverClass", snapshot: taken }, save], result: goOn };
    case "damaged":
      return { actions: [{ kind: "completeClass", spc, snapshot: taken }], result: UNSETTLED };
    default:
      return assertNever(drift);
  }
}

/** Plans a class that the API server serves whole. */
function planServed(observation: Present, settings: WorkerSettings): Step {
  const { spc } = observation;
  const interval = settings.enableSecretRotation ? pollInterval(spc, settings.rotationPollInterval) : undefined;
  const blind = observation.secrets.isBlind ? blindMirrorProblem(spc) : undefined;
  const problems = [...annotationProblems(spc, interval), ...(blind === undefined ? [] : [blind])];
  const first: readonly Action[] = [{ kind: "warn", topic: "annotations", problems }];
  const by = switchedOffBy(spc, settings);
  if (by !== undefined) return after(first, planSwitchedOff(observation, by));
  if (!isOurs(spc)) return after(first, planForeign(observation));
  return after([...first, { kind: "reportThawed" }], planUnwanted(observation));
}

/**
 * Leaves the Secrets unchanged and unattended. If the class has a status, the status reports this instead of the earlier state. After sync
 * is turned on again, the class is checked immediately.
 */
function planSwitchedOff({ spc, status }: Present, by: string): Step {
  const reset: Action = { kind: "reset" };
  if (status === undefined) return { actions: [reset], result: DONE };
  const message = `sync is turned off by ${by}, so the worker does not update or repair the class's Secrets`;
  const names = status.secrets.map(({ name }) => name);
  const secrets = heldSecrets(names, status.secrets, "SwitchedOff");
  const outcome = { ...outcomeOf(spc, message), reason: "SwitchedOff", secrets, refresh: status.observedRefresh } as const;
  return {
    actions: [reset, { kind: "setStatus", outcome, notice: { kind: "switchedOff", reason: "SwitchedOff", message } }],
    result: DONE,
  };
}

/**
 * Plans a class of another provider. If the worker synced it before, its Secrets stay: the change may be a mistake, and pods read the
 * Secrets. They are deleted with the class.
 */
function planForeign({ spc, secrets: { named }, status, hasStatus }: Present): Step {
  const kept = writtenFor(named, spc.metadata.name).map(({ secret }) => secret.ref.name);
  if (kept.length === 0) return planRetired(hasStatus);
  const provider = JSON.stringify((spc.spec?.provider ?? "").slice(0, 40));
  const message = `spec.provider is now ${provider}, so the worker no longer updates ${kept.sort().join(", ")}; set spec.provider back to azure, or delete the class, which also deletes the Secrets`;
  const outcome = { ...outcomeOf(spc, message), reason: "InvalidClass", secrets: status?.secrets ?? [] } as const;
  return {
    actions: [{ kind: "forget" }, { kind: "setStatus", outcome, notice: { kind: "foreign", reason: "InvalidClass", message } }],
    result: DONE,
  };
}

/**
 * A class that syncs no Secret has a status only if the worker tracks its versions for the workloads that mount it. An existing status
 * stays until it is known that no workload requests restarts.
 */
function planMountedOnly({ hasStatus, isFollowed }: Present): Step {
  if (isFollowed === true) return { actions: [], result: { kind: "continue" } };
  return isFollowed === "unknown" && hasStatus ? { actions: [], result: UNSEEN } : planRetired(hasStatus);
}

function planRetired(hasStatus: boolean): Step {
  return { actions: hasStatus ? [{ kind: "forget" }, { kind: "dropStatus" }] : [{ kind: "forget" }], result: DONE };
}

/**
 * Returns adopted Secrets if one of the two sides no longer agrees, and removes Secrets that no secretObject names any more. A secretObject
 * that failed still names its Secret.
 */
function planUnwanted(present: Present): Step {
  const {
    spc,
    secrets: { named, isBlind },
  } = present;
  const { name, resourceVersion } = spc.metadata;
  const secretObjects = secretObjectsOf(spc);
  const wanted = new Set(secretObjects.map(({ secretName }) => secretName));
  const written = writtenFor(named, name);
  const adopts = adoptedNames(spc);
  const isReleased = ({ secret }: ObservedNamedSecret): boolean => !isBlind && isAdopted(secret) && !isAdoptionAgreed(secret, name, adopts);
  const released = written
    .filter(isReleased)
    .map(({ secret }): Action => ({ kind: "releaseSecret", secret, why: "it is no longer adopted" }));
  const obsolete = written.filter((each) => !isReleased(each) && !wanted.has(each.secret.ref.name));
  const removed: Action = {
    kind: "guarded",
    preconditions: [{ kind: "classUnchanged", resourceVersion }, { kind: "crdHealthy" }],
    actions: removals(obsolete, "its class no longer names it"),
    otherwise: { kind: "continue" },
  };
  const actions = obsolete.length === 0 ? released : [...released, removed];
  return secretObjects.length === 0 ? after(actions, planMountedOnly(present)) : { actions, result: { kind: "continue" } };
}
