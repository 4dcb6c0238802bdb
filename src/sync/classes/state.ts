import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import { assertNever } from "../../domain/assert-never.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import type { Retry } from "../../domain/ports/retry.ts";
import { firstPoll, lastPollBefore, type PolledUntil, untilNextPoll } from "../../domain/schedule/phase.ts";
import { afterRepair, contestedUntil, NO_REPAIRS, paceRepair, type Repairs } from "../../domain/schedule/repair-pace.ts";
import { conditionOf, REFRESH_CHARACTERS } from "../../domain/sync/class-status.ts";
import type { FetchTrigger } from "../../domain/sync/fetch-trigger.ts";
import { retryDelay } from "../../domain/sync/retry-delay.ts";
import type { ClassStatus, Told } from "../../domain/sync/status-fields.ts";
import { storedTime } from "../../domain/sync/stored-time.ts";

/** What this process knows of a class beyond what is stored. Losing it costs nothing but an early look. Times are Unix milliseconds. */
export interface ClassState {
  /** Of this process's first look at the class. */
  readonly knownSince: number;
  /** Of the class: one that was deleted and created anew is another object. */
  readonly uid: string | undefined;
  /** It is another object than the one that was looked at last: its generations do not tell an edit. */
  readonly isMadeAnew?: boolean | undefined;
  /** What the phase of its polls is derived from. */
  readonly phase: { readonly cluster: string; readonly key: string };
  readonly nextPoll: number;
  /** When the last poll of this process was due; undefined before the first. */
  readonly lastPoll?: number | undefined;
  /** The poll whose time had come when the last one ended, whatever that came to; undefined before the first. */
  readonly duePoll?: DuePoll | undefined;
  /** Milliseconds between two polls, as `nextPoll` was derived from. */
  readonly interval: number;
  /** When it was changed; undefined where this process has seen no other one. */
  readonly intervalSince?: number | undefined;
  /** How many changes of its objects others have seen that it has not looked at; undefined: none. Times do not tell two of one millisecond apart. */
  readonly changeSeen?: number | undefined;
  /** Consecutive failed attempts. */
  readonly failures: number;
  /** Meaningful while `failures` is above 0. */
  readonly retryAt: number;
  /** Value of the refresh annotation that was answered: any other is a request that is open. */
  readonly lastRefresh?: string | undefined;
  /** Its value at the last attempt, whatever came of it. */
  readonly triedRefresh?: string | undefined;
  /** Of the last check that succeeded. */
  readonly lastSuccess?: number | undefined;
  /** Earlier processes have checked the class with success then or later; undefined where nobody knows. */
  readonly checkedBefore?: number | undefined;
  /** Repairs of edited or deleted Secrets. */
  readonly repairs: Repairs;
  /** Why the vault did not answer for every object of the class when each was last looked at; undefined where it did. */
  readonly failure?: Told | undefined;
  /** Names of Secrets that failed at the last attempt. */
  readonly failing: ReadonlySet<string>;
  /** Reason and message of the last event, so that a lasting state is told once. */
  readonly lastEvent?: Told | undefined;
  /** That the class is stale was told. */
  readonly isStaleReported: boolean;
  /** Since when no pod has mounted the class, as far as this process has seen without a gap. */
  readonly unusedSince?: number | undefined;
  /** Nothing is mirrored because nobody uses the class. */
  readonly isIdle: boolean;
  /** Who damaged which Secret in the repairs that are counted in a row. */
  readonly contenders: ReadonlyMap<string, string>;
  /** What was told of objects' dates, by object and version. */
  readonly datesReported: ReadonlyMap<string, string>;
  /** Up to when an earlier process told of dates; undefined: none did. */
  readonly datesReportedUntil?: number | undefined;
}

/** A poll whose time has come, however late it runs. */
export interface DuePoll {
  /** Unix milliseconds. */
  readonly due: number;
  /** How far from it the one before may lie whose answer still serves it (milliseconds). */
  readonly interval: number;
}

/** A class that is to be mirrored, as a reconcile meets it. */
export interface Sight {
  readonly cluster: string;
  readonly key: string;
  readonly spc: SecretProviderClass;
  /** Milliseconds between two polls. */
  readonly interval: number;
  readonly status: ClassStatus | undefined;
  /** Up to when the leader before has made all polls. */
  readonly polledUntil: PolledUntil;
  readonly now: number;
}

export type StateEvent =
  | { readonly kind: "seen"; readonly sight: Sight }
  /** The reason of its failure may be gone. */
  | { readonly kind: "retryAsked"; readonly now: number }
  /** Another class saw that an object of this one changed: its poll is due. */
  | { readonly kind: "objectChanged"; readonly now: number }
  /** A pod mounts it: what was seen of its absence counts no more. */
  | { readonly kind: "used" }
  | { readonly kind: "unused"; readonly since: number | undefined }
  /** It has no Secrets, because nobody uses it; `told` is what its status says of that. */
  | { readonly kind: "rested"; readonly told: Told }
  | { readonly kind: "damageSeen"; readonly now: number }
  /** Who did it has taken it back before it was repaired. */
  | { readonly kind: "damageGone" }
  /** The vault is about to be asked. */
  | { readonly kind: "fetchBegan"; readonly trigger: FetchTrigger; readonly now: number }
  | { readonly kind: "repaired"; readonly name: string; readonly by: string }
  | ({ readonly kind: "answered" } & Answered)
  /** A poll found everything as it was before. `checkedAt` and `polledAt`: as of an answer and its end. */
  | { readonly kind: "foundUnchanged"; readonly checkedAt: number; readonly polledAt: number; readonly now: number }
  /** What came of the answer is written, in the status as well. */
  | ({ readonly kind: "fetchEnded" } & FetchEnded)
  | { readonly kind: "reported"; readonly told: Told }
  | { readonly kind: "staleReported"; readonly isStale: boolean }
  | { readonly kind: "datesReported"; readonly byObject: ReadonlyMap<string, string> };

/** What an attempt came to. */
export interface Answered {
  /** Why the vault did not answer for every object that was looked at; undefined where it did. */
  readonly failure: Told | undefined;
  /** All that the class needs was looked at since then; undefined where a part was. */
  readonly checkedAt: number | undefined;
  readonly failing: ReadonlySet<string>;
  readonly retry: Retry;
  readonly now: number;
  /** From 0 to 1. */
  readonly spread: number;
}

export interface FetchEnded {
  /** Value of the refresh annotation when the vault was asked. */
  readonly refresh: string | undefined;
  readonly isAnswered: boolean;
  /** When the poll began that it was; undefined where it was none. */
  readonly polledAt: number | undefined;
  /** Of the state when it began: a change that was seen since is looked at once more. */
  readonly changeSeen: number | undefined;
  readonly now: number;
}

/** How an event changes what is known; undefined before the class is seen for the first time. */
export function nextState(state: ClassState | undefined, event: StateEvent): ClassState | undefined {
  if (event.kind === "seen") return state === undefined ? firstSight(event.sight) : seenAgain(state, event.sight);
  return state && changed(state, event);
}

function changed(state: ClassState, event: Exclude<StateEvent, { readonly kind: "seen" }>): ClassState {
  switch (event.kind) {
    case "retryAsked":
      return { ...state, retryAt: event.now };
    case "objectChanged":
      return { ...state, changeSeen: (state.changeSeen ?? 0) + 1 };
    case "used":
      return state.unusedSince === undefined ? state : { ...state, unusedSince: undefined };
    case "unused":
      return { ...state, unusedSince: event.since };
    case "rested":
      return { ...state, isIdle: true, failures: 0, failing: new Set(), lastEvent: event.told };
    case "damageSeen":
      return { ...state, repairs: paceRepair(state.repairs, event.now).repairs };
    case "damageGone":
      return withoutDamage(state);
    case "fetchBegan":
      return fetchBegan(state, event.trigger, event.now);
    case "repaired":
      return { ...state, contenders: new Map([...state.contenders, [event.name, event.by]]) };
    case "answered":
      return answered(state, event);
    case "foundUnchanged":
      return polled({ ...state, lastSuccess: latest(state.lastSuccess, event.checkedAt) }, event.polledAt, event.now);
    case "fetchEnded":
      return fetchEnded(state, event);
    case "reported":
      return { ...state, lastEvent: event.told };
    case "staleReported":
      return state.isStaleReported === event.isStale ? state : { ...state, isStaleReported: event.isStale };
    case "datesReported":
      return { ...state, datesReported: event.byObject };
    default:
      return assertNever(event);
  }
}

/** No damage waits for its repair. */
export function withoutDamage(state: ClassState): ClassState {
  return { ...state, repairs: { ...state.repairs, seen: undefined } };
}

const REPAIRS: readonly FetchTrigger[] = ["SecretMissing", "SecretEdited"];

/** Of what somebody else did to a Secret. */
export function isRepair(trigger: FetchTrigger): boolean {
  return REPAIRS.includes(trigger);
}

/** Milliseconds to wait before a repair. Somebody who undoes each of ours would cost a vault read and a write every time. */
export function repairPause({ repairs }: ClassState, trigger: FetchTrigger, now: number): number {
  return isRepair(trigger) ? paceRepair(repairs, now).pauseMs : 0;
}

/** Until when the class counts as contested, undefined where it is not: somebody undoes each repair. */
export function isContestedUntil({ repairs }: ClassState, now: number): number | undefined {
  return contestedUntil(repairs, now);
}

/** When a check last succeeded, as far as is known; where nothing is, this process's first sight of the class. */
export function lastCheckOf(state: ClassState): number {
  return knownCheckOf(state) ?? state.knownSince;
}

/** The same, undefined where nobody knows of any. */
export function knownCheckOf({ lastSuccess, checkedBefore }: ClassState): number | undefined {
  return latest(lastSuccess, checkedBefore);
}

/**
 * The poll that a look stands for: the one whose time came last, of which it may be the retry. By its own time a retry would be served by what
 * its poll was not, and the class would be unchecked for two intervals.
 */
export function pollFor({ nextPoll, lastPoll, duePoll, interval, phase }: ClassState, now: number): DuePoll {
  if (now < nextPoll) return duePoll ?? { due: nextPoll - interval, interval };
  // Of several that were missed the last one.
  const due = Math.max(nextPoll, pollAfter(phase, interval, now) - interval);
  // Where phases moved, the list of the last poll is younger than an interval. It says nothing that was not seen then.
  return { due, interval: lastPoll === undefined ? interval : Math.min(interval, due - lastPoll) };
}

function pollAfter(phase: ClassState["phase"], interval: number, now: number): number {
  return now + untilNextPoll({ ...phase, interval, now });
}

/** After a start, what is stored decides: a class whose status says `Synced` is not asked for before its poll is due. */
function firstSight({ cluster, key, spc, interval, status, polledUntil: told, now }: Sight): ClassState {
  const phase = { cluster, key };
  const first = { ...UNKNOWN, knownSince: now, uid: spc.metadata.uid, phase, interval, retryAt: now };
  if (status === undefined) return { ...first, nextPoll: pollAfter(phase, interval, now) };
  const facts = storedFacts(spc, status, now);
  const polledUntil = hasStoredFailure(status) ? undefined : told;
  const polls = { ...phase, interval, now, checked: facts.lastSuccess, polledUntil };
  const checkedBefore = hasStoredFailure(status) ? undefined : lastPollBefore(polls);
  return { ...first, ...facts, nextPoll: firstPoll(polls), checkedBefore };
}

const UNKNOWN = {
  failures: 0,
  repairs: NO_REPAIRS,
  failing: new Set<string>(),
  isStaleReported: false,
  isIdle: false,
  contenders: new Map<string, string>(),
  datesReported: new Map<string, string>(),
} as const;

function seenAgain(state: ClassState, { spc, interval, now }: Sight): ClassState {
  const { uid } = spc.metadata;
  if (state.uid === uid && state.interval === interval) return state;
  // The failure was that of the class before.
  const retryAt = state.uid === uid ? state.retryAt : now;
  // A shorter interval counts from the edit on; under a longer one the poll that was announced is made all the same.
  const nextPoll = state.interval === interval ? state.nextPoll : Math.min(state.nextPoll, pollAfter(state.phase, interval, now));
  const intervalSince = state.interval === interval ? state.intervalSince : now;
  return { ...state, uid, isMadeAnew: state.isMadeAnew === true || state.uid !== uid, retryAt, interval, intervalSince, nextPoll };
}

/** Of a class whose status tells a failure, nobody knows which of its objects were looked at. */
export function hasStoredFailure(status: ClassStatus): boolean {
  return status.secrets.some(({ state }) => state !== "Synced") || conditionOf(status, "Fresh")?.status === "False";
}

/**
 * Whether a new leader that finds this status goes by the polls of the leader before. Of any other class it asks the vault when it first
 * reconciles it, or goes by what is stored of the class alone.
 */
export function goesByEarlierPolls({ metadata }: SecretProviderClass, status: ClassStatus | undefined): boolean {
  return status !== undefined && status.observedClassGeneration === (metadata.generation ?? 0) && !hasStoredFailure(status);
}

function storedFacts(spc: SecretProviderClass, status: ClassStatus, now: number) {
  const synced = conditionOf(status, "Synced");
  const fresh = conditionOf(status, "Fresh");
  const checked = storedTime(status.lastSuccessfulCheckTime, now);
  const lastRefresh = observedRefresh(spc, status);
  return {
    failures: hasStoredFailure(status) ? 1 : 0,
    lastRefresh,
    triedRefresh: lastRefresh,
    lastSuccess: checked,
    lastEvent: synced === undefined ? undefined : { reason: synced.reason, message: synced.message },
    isStaleReported: fresh?.reason === "Stale",
    datesReportedUntil: checked,
    isIdle: status.secrets.length === 0 && status.objects === undefined && synced?.status === "True",
  };
}

/** The request that was answered before this process started; one that came while nobody listened is still open. */
function observedRefresh({ metadata }: SecretProviderClass, { observedRefresh: stored }: ClassStatus): string | undefined {
  const stated = metadata.annotations?.[CLASS_ANNOTATIONS.refresh];
  return stated?.slice(0, REFRESH_CHARACTERS) === stored ? stated : stored;
}

function fetchBegan(state: ClassState, trigger: FetchTrigger, now: number): ClassState {
  const { repairs } = state;
  if (!isRepair(trigger)) return { ...state, repairs: { ...repairs, seen: undefined } };
  // Those of an earlier, unconnected fight.
  const contenders = repairs.inARow === 0 ? new Map<string, string>() : state.contenders;
  return { ...state, contenders, repairs: afterRepair(repairs, now) };
}

function answered(before: ClassState, { failure, checkedAt, failing, retry, now, spread }: Answered): ClassState {
  const isFresh = failure === undefined;
  const lastSuccess = isFresh ? latest(before.lastSuccess, checkedAt) : before.lastSuccess;
  // A look at a part of the objects says nothing of those that failed before.
  const unseen = isFresh && checkedAt === undefined ? before.failure : undefined;
  const state = { ...before, lastSuccess, failing, failure: failure ?? unseen, isIdle: false };
  if (isFresh && failing.size === 0) return unseen === undefined ? { ...state, failures: 0 } : state;
  const why: Retry = isFresh && retry.kind === "never" ? { kind: "backoff" } : retry;
  // A poll that comes before may have been answered from what is known: the retry still asks.
  const awaited = state.failures > 0 && state.retryAt > now && why.kind === "never" ? state.retryAt : Number.POSITIVE_INFINITY;
  const failures = state.failures + 1;
  const retryAt = Math.min(awaited, now + retryDelay(why, failures, { interval: state.interval, spread }));
  return { ...state, failures, retryAt };
}

function fetchEnded(state: ClassState, { refresh, isAnswered, polledAt, changeSeen, now }: FetchEnded): ClassState {
  return {
    ...(polledAt === undefined ? state : polled(state, polledAt, now)),
    isMadeAnew: false,
    triedRefresh: refresh,
    lastRefresh: isAnswered ? refresh : state.lastRefresh,
    changeSeen: state.changeSeen === changeSeen ? undefined : state.changeSeen,
  };
}

function polled(state: ClassState, polledAt: number, now: number): ClassState {
  const { nextPoll, phase, interval } = state;
  // One that fell due meanwhile is not made.
  const duePoll = pollFor(state, Math.max(polledAt, Math.min(now, nextPoll)));
  return { ...state, lastPoll: Math.min(polledAt, nextPoll), duePoll, nextPoll: pollAfter(phase, interval, now) };
}

function latest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}
