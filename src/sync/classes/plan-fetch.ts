import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { formatDuration } from "../../domain/duration.ts";
import { type SyncMode, syncMode } from "../../domain/schedule/class-annotations.ts";
import { isAnswerOwed, isSpecNew } from "../../domain/sync/class-answer.ts";
import { type FetchTrigger, isAsWritten, isAsWrittenNow } from "../../domain/sync/fetch-trigger.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ClassStatus, SecretStatus } from "../../domain/sync/status-fields.ts";
import { storedTime } from "../../domain/sync/stored-time.ts";
import { UNUSED_MESSAGE } from "../../domain/sync/summarize.ts";
import { currentHints } from "../push/answer-hints.ts";
import { type Hint, REFUSED_OBJECTS } from "../push/hints.ts";
import type { CheckTiming, FetchRequest, HintedObjects, StoredFetchRequest } from "../vault/mirror.ts";
import { RECENT_MS } from "../vault/recent-secrets.ts";
import type { WorkerSettings } from "../worker-settings.ts";
import type { Action, Step, StepResult } from "./action.ts";
import type { Observation } from "./observe.ts";
import { removals, writtenFor } from "./plan.ts";
import { specHashes } from "./spec-hash.ts";
import { type ClassState, isContestedUntil, isRepair, pollFor, REPAIRS, repairPause, withoutDamage } from "./state.ts";

/** Classes that are applied together and name the same object share an answer of this age (milliseconds). */
const FIRST_SHARED_MS = 1_000;

/**
 * A blind worker cannot read Secrets, so every poll writes all of them and needs all values. A poll accepts answers of this age that other
 * classes got (milliseconds).
 */
const BLIND_SHARED_MS = 10_000;

const CHECKS: readonly FetchTrigger[] = ["PollDue", "RetryDue"];
/** Repairs, and the one after a contest, for which the worker has waited. */
const ALL_REPAIRS: readonly FetchTrigger[] = [...REPAIRS, "ContestOver"];
const FIRST: readonly FetchTrigger[] = ["NeverSynced", "UseBegan"];
/** The answers to these do not serve the next poll: they cover only some objects, and may be outdated by then. */
const PARTIAL: readonly FetchTrigger[] = [...ALL_REPAIRS, "EventReceived"];

/** The API server sends a bookmark about every minute. After a longer silence, the watch of pods may have missed a change (milliseconds). */
const SILENCE_MS = 90_000;

/** Delay before the next reconcile of a class if it is uncertain whether pods use it. */
const UNCERTAIN: StepResult = { kind: "requeueAfter", milliseconds: 5_000 };
const GO_ON: StepResult = { kind: "continue" };

/** A class that the worker syncs. */
export interface Mirrored extends Observation {
  readonly spc: NonNullable<Observation["spc"]>;
}

/** A query to the vault, and its reason. */
export interface Fetch {
  readonly trigger: FetchTrigger;
  readonly fetchRequest: FetchRequest;
  /** Whether the query counts as a poll: a poll was due, or no missing or edited Secret and no event caused the query. */
  readonly isPoll: boolean;
  /** Value of the refresh annotation. */
  readonly refresh: string | undefined;
  /** Hints that the query covers. */
  readonly hints: readonly Hint[];
  /** Value of the state when the query began. A change of an object that is seen later needs another query. */
  readonly changeSeen: number | undefined;
}

/** `fetch` is undefined if the vault need not be queried now. */
export interface FetchStep extends Step {
  readonly fetch?: Fetch;
}

/** Decides whether to query the vault now. A class that waits for its first pod needs no query, and neither does a class without news. */
export function planFetch(observation: Mirrored, state: ClassState, settings: WorkerSettings): FetchStep {
  const { secrets = [], objects } = observation.status ?? {};
  const current = currentHints(observation.hints, { secrets, objects });
  if (current.size === 0) return planWanted(observation, state, settings);
  const open = observation.hints.filter((hint) => !current.has(hint));
  const { actions, ...step } = planWanted({ ...observation, hints: open }, state, settings);
  return { ...step, actions: [{ kind: "endHints", hints: [...current] }, ...actions] };
}

function planWanted(observation: Mirrored, state: ClassState, settings: WorkerSettings): FetchStep {
  if (syncMode(observation.spc, settings.syncMode) !== "while-used") return planMirrored(observation, state, settings);
  if (!observation.pods.isUsed) return planUnused(observation, state, settings);
  const { actions, ...step } = planMirrored(observation, state, settings);
  return { ...step, actions: [{ kind: "note", event: { kind: "used" } }, ...actions] };
}

/**
 * Plans a `while-used` class that no pod mounts. Its Secrets stay unchanged for a grace period, so that a workload that is scaled to zero
 * and back, or replaced, finds them. Missing Secrets are not created.
 */
function planUnused(observation: Mirrored, state: ClassState, { unusedGrace }: WorkerSettings): Step {
  const { now, secrets, spc } = observation;
  const { lastActivity, unbrokenSince, isFollowed } = observation.pods;
  const noted = (since?: number): Action => ({ kind: "note", event: { kind: "unused", since } });
  const owned = writtenFor(secrets.named, spc.metadata.name);
  if (owned.length === 0) return { actions: [noted(), ...rest(observation, state)], result: { kind: "done" } };
  // It is uncertain whether a pod mounts the class. The absence counts from the moment when pods are visible again.
  if (now - lastActivity > SILENCE_MS) return { actions: [noted()], result: UNCERTAIN };
  // Time in which the watch had a gap does not count as absence.
  const since = Math.max(state.unusedSince ?? now, Math.min(unbrokenSince, now));
  const left = since + unusedGrace - now;
  if (left > 0) return { actions: [noted(since)], result: { kind: "requeueAfter", milliseconds: left } };
  // Wait for a broken watch: it continues without a gap, or lists all pods again.
  if (!isFollowed) return { actions: [noted(since)], result: UNCERTAIN };
  const { resourceVersion } = spc.metadata;
  const removed: Action = {
    kind: "guarded",
    // The watch may lag behind, so the worker reads the pods first, then the class. `unused` detects a pod that has appeared meanwhile.
    preconditions: [{ kind: "noLiveConsumer" }, { kind: "classUnchanged", resourceVersion }, { kind: "crdHealthy" }, { kind: "unused" }],
    actions: removals(owned, `no pod has mounted its class for ${formatDuration(now - since)}`),
    otherwise: UNCERTAIN,
  };
  return { actions: [noted(since), removed, ...rest(observation, state)], result: { kind: "done" } };
}

/** Returns the actions for a class that has no Secrets and needs none. The status explains why. */
function rest({ spc: { metadata } }: Mirrored, { lastSuccess, lastRefresh }: ClassState): readonly Action[] {
  const reported = { reason: "Synced", message: UNUSED_MESSAGE } as const;
  const outcome = { ...reported, generation: metadata.generation ?? 0, isFresh: undefined, secrets: [], lastSuccess, refresh: lastRefresh };
  return [
    { kind: "note", event: { kind: "rested", reported } },
    { kind: "setStatus", outcome },
    { kind: "storeStatus", otherwise: UNCERTAIN },
  ];
}

function planMirrored(observation: Mirrored, state: ClassState, settings: WorkerSettings): FetchStep {
  const isTakenBack = state.repairs.seen !== undefined && damageOf(observation, state) === undefined;
  if (!isTakenBack) return planNeeded(observation, state, settings);
  const { actions, ...step } = planNeeded(observation, withoutDamage(state), settings);
  return { ...step, actions: [{ kind: "note", event: { kind: "damageGone" } }, ...actions] };
}

function planNeeded(observation: Mirrored, state: ClassState, settings: WorkerSettings): FetchStep {
  const { now, spc } = observation;
  const due = dueChecks(observation, state, settings);
  const { isPollDue, hints } = due;
  const isHinted = hints.length > 0;
  const found = triggerOf(observation, state, isPollDue) ?? (isHinted ? "EventReceived" : undefined);
  if (found === undefined) return { actions: [], result: GO_ON };
  const seen: readonly Action[] = isRepair(found) ? [{ kind: "note", event: { kind: "damageSeen", now } }] : [];
  const pause = isPollDue ? 0 : repairPause(state, found, now);
  // A delayed repair delays neither polls nor events for the other Secrets of the class.
  if (pause > 0 && !isHinted) return { actions: seen, result: { kind: "requeueAfter", milliseconds: Math.min(pause, due.nextMs) } };
  const trigger = pause > 0 ? "EventReceived" : found;
  const fetchRequest = fetchRequestOf(observation, state, { trigger, isPollDue, hints, mode: syncMode(spc, settings.syncMode) });
  const fetch: Fetch = {
    trigger,
    fetchRequest,
    isPoll: isPollDue || !PARTIAL.includes(trigger),
    hints: fetchRequest.kind === "repair" ? [] : hints,
    refresh: spc.metadata.annotations?.[CLASS_ANNOTATIONS.refresh],
    changeSeen: state.changeSeen,
  };
  return { actions: [...seen, { kind: "note", event: { kind: "fetchBegan", trigger, now } }], result: GO_ON, fetch };
}

interface DueChecks {
  readonly isPollDue: boolean;
  /**
   * Hints that are due. The query neither covers nor answers hints that wait for their next check: the vault has just returned an older
   * version for them.
   */
  readonly hints: Mirrored["hints"];
  /** Milliseconds until the next poll or hint is due. */
  readonly nextMs: number;
}

function dueChecks({ now, hints }: Mirrored, state: ClassState, { enableSecretRotation }: WorkerSettings): DueChecks {
  if (!enableSecretRotation) return { isPollDue: false, hints: [], nextMs: Number.POSITIVE_INFINITY };
  return {
    isPollDue: now >= state.nextPoll || state.changeSeen !== undefined,
    hints: hints.filter(({ dueAt }) => now >= dueAt),
    nextMs: hints.reduce((next, { dueAt }) => Math.min(next, Math.max(1, dueAt - now)), Math.max(1, state.nextPoll - now)),
  };
}

/** Returns the first trigger that applies; undefined if none does. */
function triggerOf(observation: Mirrored, state: ClassState, isPollDue: boolean): FetchTrigger | undefined {
  const { now, spc, status } = observation;
  const { generation = 0, annotations } = spc.metadata;
  if (status === undefined || isNewlyFollowed(observation, state)) return "NeverSynced";
  if (status.observedClassGeneration !== generation || isAnotherSpec(status, spc, state)) return "ClassChanged";
  if (state.failures > 0 && now >= state.retryAt) return "RetryDue";
  if (annotations?.[CLASS_ANNOTATIONS.refresh] !== state.triedRefresh) return "RefreshAsked";
  if (state.isIdle) return "UseBegan";
  const damage = damageOf(observation, state);
  if (damage !== undefined) return damage;
  const isContestReported = status.secrets.some(({ state: how }) => how === "Contested");
  if (isContestReported && isContestedUntil(state, now) === undefined) return "ContestOver";
  return isPollDue ? "PollDue" : undefined;
}

/** Whether the class syncs no Secret, and no check of its objects has succeeded or failed yet. */
function isNewlyFollowed({ spc, status }: Mirrored, { failures }: ClassState): boolean {
  return secretObjectsOf(spc).length === 0 && status?.objects === undefined && failures === 0;
}

/**
 * Whether the status describes another spec. A class that was deleted and recreated with another spec may have the same generation. If the
 * status has no hash of the spec, a recreated class may have another spec.
 */
function isAnotherSpec(status: ClassStatus, spc: Mirrored["spc"], { isMadeAnew = false }: ClassState): boolean {
  const isUnreported = isMadeAnew && (status.objects !== undefined || status.secrets.some(({ specHash }) => specHash === undefined));
  return isUnreported || isSpecNew(status, specHashes(spc)) || isAnswerOwed(status);
}

/**
 * Returns the trigger for a damaged Secret. Secrets that failed do not count: they are missing because they failed, and wait for their next
 * attempt.
 */
function damageOf({ spc, secrets: { named, unread } }: Mirrored, { failing }: ClassState): FetchTrigger | undefined {
  const observed = new Map(named.map(({ secret }) => [secret.ref.name, secret]));
  const expected = secretObjectsOf(spc).filter(({ secretName }) => !failing.has(secretName) && !unread.has(secretName));
  if (expected.some(({ secretName }) => !observed.has(secretName))) return "SecretMissing";
  const isIntact = (secretObject: (typeof expected)[number]): boolean =>
    isAsWritten(spc.metadata.name, secretObject, observed.get(secretObject.secretName));
  return expected.every(isIntact) ? undefined : "SecretEdited";
}

interface Occasion extends Pick<DueChecks, "isPollDue" | "hints"> {
  readonly trigger: FetchTrigger;
  readonly mode: SyncMode;
}

/** Returns the smallest request that answers the trigger. */
function fetchRequestOf(observation: Mirrored, state: ClassState, { trigger, isPollDue, hints: due, mode }: Occasion): FetchRequest {
  const { now, spc, secrets } = observation;
  const isRepairing = ALL_REPAIRS.includes(trigger);
  // A repair that takes the place of a poll requests all changes, which include the damaged Secrets.
  const isPoll = trigger === "PollDue" || (isPollDue && isRepairing);
  const held = trigger === "ClassChanged" ? [] : (observation.status?.secrets ?? []);
  // A `while-used` class that is synced is in use.
  const timing = { ...timingOf(state, now, trigger), selection: { held, isKept: mode === "while-used" } };
  // The vault has not answered since a user requested a refresh. Earlier answers do not count, whatever the trigger is.
  const isRefreshOpen = trigger !== "NeverSynced" && spc.metadata.annotations?.[CLASS_ANNOTATIONS.refresh] !== state.lastRefresh;
  if (isRefreshOpen) return { kind: "everything", ...timing, sharedMs: 0 };
  const isCheck = isPoll || CHECKS.includes(trigger);
  const hints = hintedObjects(due);
  // Answers that others got before an event do not contain the change that the event reports.
  const sharedMs = (milliseconds: number): number => Math.min(milliseconds, Math.max(0, now - (hints?.since ?? 0)));
  const everything = (sharing: readonly FetchTrigger[], milliseconds: number): FetchRequest => ({
    kind: "everything",
    ...timing,
    sharedMs: sharing.includes(trigger) || (isCheck && secrets.isBlind) ? sharedMs(milliseconds) : 0,
  });
  // For a class without Secrets, a blind worker sees everything that it has to compare.
  if (secrets.isBlind && secretObjectsOf(spc).length > 0) return everything(["EventReceived"], BLIND_SHARED_MS);
  if (!isCheck && !PARTIAL.includes(trigger)) return everything(FIRST, FIRST_SHARED_MS);
  return { kind: isCheck ? "changes" : partialKind(observation, due.length > 0), ...timing, hints, ...storedFacts(observation) };
}

function partialKind({ spc, isFollowed = false }: Mirrored, isHinted: boolean): StoredFetchRequest["kind"] {
  if (!isHinted) return "repair";
  // An object that is only mounted makes no Secret, so a hint about it cannot be limited to certain Secrets.
  return isFollowed !== false || secretObjectsOf(spc).length === 0 ? "changes" : "hinted";
}

function hintedObjects(hints: Mirrored["hints"]): HintedObjects | undefined {
  if (hints.length === 0) return undefined;
  const keys = new Set(hints.map(({ object }) => object));
  const since = hints.reduce((latest, { unseenSince }) => Math.max(latest, unseenSince), 0);
  return { keys, isAccessChanged: keys.delete(REFUSED_OBJECTS), since };
}

/** Returns the timing of a poll without another trigger. */
export function pollTiming(state: ClassState, now: number): CheckTiming {
  return timingOf(state, now, "PollDue");
}

function timingOf(state: ClassState, now: number, trigger: FetchTrigger) {
  const { interval: period, failures } = state;
  const isOfPoll = CHECKS.includes(trigger) || PARTIAL.includes(trigger);
  const poll = isOfPoll ? pollFor(state, now) : { due: now, interval: period };
  return { ...poll, period, credentialsMs: failures > 0 ? 0 : credentialsMs(trigger) };
}

/**
 * Maximum age of the credentials (milliseconds), because many classes of a namespace are reconciled together. After a failure, the caller
 * uses 0: someone may have corrected the credentials.
 */
function credentialsMs(trigger: FetchTrigger): number {
  if (trigger === "PollDue" || PARTIAL.includes(trigger)) return RECENT_MS;
  return FIRST.includes(trigger) ? FIRST_SHARED_MS : 0;
}

function storedFacts(observation: Mirrored) {
  const { status, now } = observation;
  const stored = status?.secrets ?? [];
  return {
    intact: intactSecrets(observation, stored),
    stored,
    storedObjects: status?.objects,
    checked: storedTime(status?.lastSuccessfulCheckTime, now),
  };
}

/** Returns the names of the Secrets that are as they were written, from the current class and the objects in the status. */
function intactSecrets({ spc, secrets }: Mirrored, stored: readonly SecretStatus[]): ReadonlySet<string> {
  const observed = new Map(secrets.named.map(({ secret }) => [secret.ref.name, secret]));
  const reported = new Map(stored.map((secret) => [secret.name, { objects: objectsOf(secret), specHash: secret.specHash }]));
  const hashes = specHashes(spc);
  const intact = secretObjectsOf(spc).filter((secretObject) => {
    const secret = observed.get(secretObject.secretName);
    const { objects, specHash } = reported.get(secretObject.secretName) ?? {};
    if (secret === undefined) return false;
    const isReported = secret.annotations[SECRET_ANNOTATIONS.objects] === objects;
    const isSameSpec = specHash === undefined || specHash === hashes.get(secretObject.secretName);
    return isReported && isSameSpec && isAsWrittenNow(spc.metadata.name, secretObject, secret);
  });
  return new Set(intact.map(({ secretName }) => secretName));
}

/** Returns the objects in the format of the Secret's annotation. */
function objectsOf({ data }: SecretStatus): string {
  return [...new Set(data.map(({ object = "", version = "" }) => `${object}@${version}`))].sort().join(",");
}
