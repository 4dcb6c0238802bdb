import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { formatDuration } from "../../domain/duration.ts";
import { type SyncMode, syncMode } from "../../domain/schedule/class-annotations.ts";
import { isAnswerOwed, isSpecNew } from "../../domain/sync/class-answer.ts";
import { type FetchTrigger, isAsWritten } from "../../domain/sync/fetch-trigger.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ClassStatus, SecretStatus } from "../../domain/sync/status-fields.ts";
import { storedTime } from "../../domain/sync/stored-time.ts";
import { UNUSED_MESSAGE } from "../../domain/sync/summarize.ts";
import { currentHints } from "../push/answer-hints.ts";
import { type Hint, REFUSED_OBJECTS } from "../push/hints.ts";
import type { FetchRequest, HintedObjects, LookTiming, StoredFetchRequest } from "../vault/mirror.ts";
import { RECENT_MS } from "../vault/recent-secrets.ts";
import type { WorkerSettings } from "../worker-settings.ts";
import type { Action, Step, StepResult } from "./action.ts";
import type { Observation } from "./observe.ts";
import { removals, writtenFor } from "./plan.ts";
import { specHashes } from "./spec-hash.ts";
import { type ClassState, isContestedUntil, isRepair, pollFor, repairPause, withoutDamage } from "./state.ts";

/** Classes that are applied together and name the same object take one answer (milliseconds). */
const FIRST_SHARED_MS = 1_000;

/** Without a look at the Secrets every poll writes them all, so every poll needs all values; those that others have just got will do. */
const BLIND_SHARED_MS = 10_000;

const CHECKS: readonly FetchTrigger[] = ["PollDue", "RetryDue"];
const REPAIRS: readonly FetchTrigger[] = ["SecretMissing", "SecretEdited", "ContestOver"];
const FIRST: readonly FetchTrigger[] = ["NeverSynced", "UseBegan"];
/** What these got does not stand for the next poll: it is of some objects, and may be overtaken by then. */
const PARTIAL: readonly FetchTrigger[] = [...REPAIRS, "EventReceived"];

/** A bookmark comes about every minute: after a longer silence the watch of pods may have missed one (milliseconds). */
const SILENCE_MS = 90_000;

/** How soon a class is looked at again whose pods are not known for certain. */
const UNCERTAIN: StepResult = { kind: "requeueAfter", milliseconds: 5_000 };
const GO_ON: StepResult = { kind: "continue" };

/** A class that is to be mirrored. */
export interface Mirrored extends Observation {
  readonly spc: NonNullable<Observation["spc"]>;
}

/** What the vault is asked, and why. */
export interface Fetch {
  readonly trigger: FetchTrigger;
  readonly fetchRequest: FetchRequest;
  /** Whatever else it is for, it is a poll that was due, too. */
  readonly isPoll: boolean;
  /** Value of the refresh annotation. */
  readonly refresh: string | undefined;
  /** What events have told of, as far as the vault is asked for it. */
  readonly hints: readonly Hint[];
  /** Of the state: an object that is seen to have changed later is fetched once more. */
  readonly changeSeen: number | undefined;
}

/** `fetch` undefined: nothing but the next poll is awaited. */
export interface FetchStep extends Step {
  readonly fetch?: Fetch;
}

/** Whether the vault is asked now: not of a class that waits for its first pod, nor where nothing is new. */
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
 * A `while-used` class that no pod mounts. What it has stays for a grace, untouched: a workload that is scaled to nothing
 * and back, or replaced, finds its Secrets. What it does not have is not made.
 */
function planUnused(observation: Mirrored, state: ClassState, { unusedGrace }: WorkerSettings): Step {
  const { now, secrets, spc } = observation;
  const { lastActivity, unbrokenSince, isFollowed } = observation.pods;
  const noted = (since?: number): Action => ({ kind: "note", event: { kind: "unused", since } });
  const owned = writtenFor(secrets.named, spc.metadata.name);
  if (owned.length === 0) return { actions: [noted(), ...rest(observation, state)], result: { kind: "done" } };
  // Nobody can say whether a pod mounts the class: the absence counts from when pods can be seen again.
  if (now - lastActivity > SILENCE_MS) return { actions: [noted()], result: UNCERTAIN };
  // A gap in what was seen is no part of an absence.
  const since = Math.max(state.unusedSince ?? now, Math.min(unbrokenSince, now));
  const left = since + unusedGrace - now;
  if (left > 0) return { actions: [noted(since)], result: { kind: "requeueAfter", milliseconds: left } };
  // A broken watch is waited for: it goes on without a gap, or is listed anew.
  if (!isFollowed) return { actions: [noted(since)], result: UNCERTAIN };
  const { resourceVersion } = spc.metadata;
  const removed: Action = {
    kind: "guarded",
    // The watch may lag behind: pods are asked for first, then the class, and a pod may have come meanwhile.
    preconditions: [{ kind: "noLiveConsumer" }, { kind: "classUnchanged", resourceVersion }, { kind: "crdHealthy" }, { kind: "unused" }],
    actions: removals(owned, `no pod has mounted its class for ${formatDuration(now - since)}`),
    otherwise: UNCERTAIN,
  };
  return { actions: [noted(since), removed, ...rest(observation, state)], result: { kind: "done" } };
}

/** Nothing is there and nothing is wanted: the status says why. */
function rest({ spc: { metadata } }: Mirrored, { lastSuccess, lastRefresh }: ClassState): readonly Action[] {
  const told = { reason: "Synced", message: UNUSED_MESSAGE } as const;
  const outcome = { ...told, generation: metadata.generation ?? 0, isFresh: undefined, secrets: [], lastSuccess, refresh: lastRefresh };
  return [
    { kind: "note", event: { kind: "rested", told } },
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
  const due = dueLooks(observation, state, settings);
  const { isPollDue, hints } = due;
  const isHinted = hints.length > 0;
  const found = triggerOf(observation, state, isPollDue) ?? (isHinted ? "EventReceived" : undefined);
  if (found === undefined) return { actions: [], result: GO_ON };
  const seen: readonly Action[] = isRepair(found) ? [{ kind: "note", event: { kind: "damageSeen", now } }] : [];
  const pause = isPollDue ? 0 : repairPause(state, found, now);
  // A repair that waits keeps the other Secrets of the class waiting for no poll, and for no event.
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

interface DueLooks {
  readonly isPollDue: boolean;
  /** Those that wait for their next look are not asked for, and not answered: the vault has just shown something older. */
  readonly hints: Mirrored["hints"];
  /** Milliseconds until the next of them is. */
  readonly nextMs: number;
}

function dueLooks({ now, hints }: Mirrored, state: ClassState, { enableSecretRotation }: WorkerSettings): DueLooks {
  if (!enableSecretRotation) return { isPollDue: false, hints: [], nextMs: Number.POSITIVE_INFINITY };
  return {
    isPollDue: now >= state.nextPoll || state.changeSeen !== undefined,
    hints: hints.filter(({ dueAt }) => now >= dueAt),
    nextMs: hints.reduce((next, { dueAt }) => Math.min(next, Math.max(1, dueAt - now)), Math.max(1, state.nextPoll - now)),
  };
}

/** The first that applies; undefined: nothing but the poll is awaited. */
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
  const isContestTold = status.secrets.some(({ state: how }) => how === "Contested");
  if (isContestTold && isContestedUntil(state, now) === undefined) return "ContestOver";
  return isPollDue ? "PollDue" : undefined;
}

/** Nobody has looked at the objects of a class that mirrors nothing, or with success. */
function isNewlyFollowed({ spc, status }: Mirrored, { failures }: ClassState): boolean {
  return secretObjectsOf(spc).length === 0 && status?.objects === undefined && failures === 0;
}

/** One that was deleted and created anew with another spec has the same generation. Where nothing of the spec is stored, it may be another one. */
function isAnotherSpec(status: ClassStatus, spc: Mirrored["spc"], { isMadeAnew = false }: ClassState): boolean {
  const isUntold = isMadeAnew && (status.objects !== undefined || status.secrets.some(({ specHash }) => specHash === undefined));
  return isUntold || isSpecNew(status, specHashes(spc)) || isAnswerOwed(status);
}

/** Those that failed wait for their next attempt: they are missing because they failed. */
function damageOf({ spc, secrets: { named, unread } }: Mirrored, { failing }: ClassState): FetchTrigger | undefined {
  const observed = new Map(named.map(({ secret }) => [secret.ref.name, secret]));
  const expected = secretObjectsOf(spc).filter(({ secretName }) => !failing.has(secretName) && !unread.has(secretName));
  if (expected.some(({ secretName }) => !observed.has(secretName))) return "SecretMissing";
  const isIntact = (secretObject: (typeof expected)[number]): boolean =>
    isAsWritten(spc.metadata.name, secretObject, observed.get(secretObject.secretName));
  return expected.every(isIntact) ? undefined : "SecretEdited";
}

interface Occasion extends Pick<DueLooks, "isPollDue" | "hints"> {
  readonly trigger: FetchTrigger;
  readonly mode: SyncMode;
}

/** What the vault is asked, by why it is asked: as little as answers that. */
function fetchRequestOf(observation: Mirrored, state: ClassState, { trigger, isPollDue, hints: due, mode }: Occasion): FetchRequest {
  const { now, spc, secrets } = observation;
  const isRepairing = REPAIRS.includes(trigger);
  // A repair that takes the place of a poll asks for what changed, which the damaged Secrets are a part of.
  const isPoll = trigger === "PollDue" || (isPollDue && isRepairing);
  const held = trigger === "ClassChanged" ? [] : (observation.status?.secrets ?? []);
  // A class that is mirrored while it is used is used.
  const timing = { ...timingOf(state, now, trigger), selection: { held, isKept: mode === "while-used" } };
  // No answer has come since somebody asked for one: whatever the class comes for, what was known before is none.
  const isRefreshOpen = trigger !== "NeverSynced" && spc.metadata.annotations?.[CLASS_ANNOTATIONS.refresh] !== state.lastRefresh;
  if (isRefreshOpen) return { kind: "everything", ...timing, sharedMs: 0 };
  const isCheck = isPoll || CHECKS.includes(trigger);
  const hints = hintedObjects(due);
  // What others got before an event says nothing of what it tells.
  const sharedMs = (milliseconds: number): number => Math.min(milliseconds, Math.max(0, now - (hints?.since ?? 0)));
  const everything = (sharing: readonly FetchTrigger[], milliseconds: number): FetchRequest => ({
    kind: "everything",
    ...timing,
    sharedMs: sharing.includes(trigger) || (isCheck && secrets.isBlind) ? sharedMs(milliseconds) : 0,
  });
  // Of objects that it does not write the worker sees everything.
  if (secrets.isBlind && secretObjectsOf(spc).length > 0) return everything(["EventReceived"], BLIND_SHARED_MS);
  if (!isCheck && !PARTIAL.includes(trigger)) return everything(FIRST, FIRST_SHARED_MS);
  return { kind: isCheck ? "changes" : partialKind(observation, due.length > 0), ...timing, hints, ...storedFacts(observation) };
}

function partialKind({ spc, isFollowed = false }: Mirrored, isHinted: boolean): StoredFetchRequest["kind"] {
  if (!isHinted) return "repair";
  // What is only mounted makes no Secret by which it could be told from the others.
  return isFollowed !== false || secretObjectsOf(spc).length === 0 ? "changes" : "hinted";
}

function hintedObjects(hints: Mirrored["hints"]): HintedObjects | undefined {
  if (hints.length === 0) return undefined;
  const keys = new Set(hints.map(({ object }) => object));
  const since = hints.reduce((latest, { unseenSince }) => Math.max(latest, unseenSince), 0);
  return { keys, isAccessChanged: keys.delete(REFUSED_OBJECTS), since };
}

/** Of a poll that is nothing else. */
export function pollTiming(state: ClassState, now: number): LookTiming {
  return timingOf(state, now, "PollDue");
}

function timingOf(state: ClassState, now: number, trigger: FetchTrigger) {
  const { interval: period, failures } = state;
  const isOfPoll = CHECKS.includes(trigger) || PARTIAL.includes(trigger);
  const poll = isOfPoll ? pollFor(state, now) : { due: now, interval: period };
  return { ...poll, period, credentialsMs: failures > 0 ? 0 : credentialsMs(trigger) };
}

/** Many classes of a namespace come together. After a failure the credentials may be what was mended: then none of this counts. */
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

/** Those that are there as they were written, from what the class has now and the objects that the status tells. */
function intactSecrets({ spc, secrets }: Mirrored, stored: readonly SecretStatus[]): ReadonlySet<string> {
  const observed = new Map(secrets.named.map(({ secret }) => [secret.ref.name, secret]));
  const told = new Map(stored.map((secret) => [secret.name, { objects: objectsOf(secret), specHash: secret.specHash }]));
  const hashes = specHashes(spc);
  const intact = secretObjectsOf(spc).filter((secretObject) => {
    const secret = observed.get(secretObject.secretName);
    const { objects, specHash } = told.get(secretObject.secretName) ?? {};
    const isTold = secret?.annotations[SECRET_ANNOTATIONS.objects] === objects;
    const isSameSpec = specHash === undefined || specHash === hashes.get(secretObject.secretName);
    return isTold && isSameSpec && isAsWritten(spc.metadata.name, secretObject, secret);
  });
  return new Set(intact.map(({ secretName }) => secretName));
}

/** As the Secret's annotation has them. */
function objectsOf({ data }: SecretStatus): string {
  return [...new Set(data.map(({ object = "", version = "" }) => `${object}@${version}`))].sort().join(",");
}
