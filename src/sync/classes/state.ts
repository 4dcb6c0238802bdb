import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import { assertNever } from "../../domain/assert-never.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import type { Retry } from "../../domain/ports/retry.ts";
import { firstPoll, lastPollBefore, type PolledUntil, untilNextPoll } from "../../domain/schedule/phase.ts";
import { afterRepair, contestedUntil, NO_REPAIRS, paceRepair, type Repairs } from "../../domain/schedule/repair-pace.ts";
import { conditionOf, REFRESH_CHARACTERS } from "../../domain/sync/class-status.ts";
import type { FetchTrigger } from "../../domain/sync/fetch-trigger.ts";
import { retryDelay } from "../../domain/sync/retry-delay.ts";
import type { ClassStatus, ReportedReason } from "../../domain/sync/status-fields.ts";
import { storedTime } from "../../domain/sync/stored-time.ts";

/**
 * State of a class that this process remembers in addition to what is stored. If it is lost, the worker only checks the class early. Times
 * are Unix milliseconds.
 */
export interface ClassState {
  /** Time of this process's first reconcile of the class. */
  readonly knownSince: number;
  /** Uid of the class. A class that was deleted and recreated is another object. */
  readonly uid: string | undefined;
  /** Whether the class is another object than at the last fetch. Its generation then does not reveal an edit. */
  readonly isMadeAnew?: boolean | undefined;
  /** Input for the phase of the class's polls. */
  readonly phase: { readonly cluster: string; readonly key: string };
  readonly nextPoll: number;
  /** When the first poll of this process was due under earlier leaders, which did not make it; undefined if none was due, or after the poll. */
  readonly missedPoll?: number | undefined;
  /** When the last poll of this process was due, or when it began if that was earlier; undefined before the first. */
  readonly lastPoll?: number | undefined;
  /** The latest poll that was due when the last one ended, whatever its result; undefined before the first. */
  readonly duePoll?: DuePoll | undefined;
  /** Milliseconds between two polls, from which `nextPoll` was derived. */
  readonly interval: number;
  /** When the interval last changed; undefined if this process has seen no other interval. */
  readonly intervalSince?: number | undefined;
  /**
   * Number of changes of the class's objects that other classes found, or events reported, and that the class has not fetched; undefined if
   * none. A time could not distinguish two changes within one millisecond.
   */
  readonly changeSeen?: number | undefined;
  /** When the last event of such a change arrived while the worker did not fetch the class; undefined if none did. */
  readonly eventAt?: number | undefined;
  /** Consecutive failed attempts. */
  readonly failures: number;
  /** Meaningful while `failures` is above 0. */
  readonly retryAt: number;
  /** Value of the refresh annotation that was answered last. Any other value is an open request. */
  readonly lastRefresh?: string | undefined;
  /** Value of the refresh annotation at the last attempt, whatever its result. */
  readonly triedRefresh?: string | undefined;
  /** Time of the last check that succeeded. */
  readonly lastSuccess?: number | undefined;
  /** An earlier process checked the class with success at this time or later; undefined if this is unknown. */
  readonly checkedBefore?: number | undefined;
  /** Repairs of edited or deleted Secrets. */
  readonly repairs: Repairs;
  /** Why the vault did not answer for every object of the class when each was last checked; undefined if it did. */
  readonly failure?: ReportedReason | undefined;
  /** Names of Secrets that failed at the last attempt. */
  readonly failing: ReadonlySet<string>;
  /** Reason and message of the last event, so that a lasting state is reported once. */
  readonly lastEvent?: ReportedReason | undefined;
  /** Whether the worker has reported that the class is stale. */
  readonly isStaleReported: boolean;
  /** Time since which no pod has mounted the class, as far as this process has followed the pods without a gap. */
  readonly unusedSince?: number | undefined;
  /** Whether the class has no Secrets because no pod uses it. */
  readonly isIdle: boolean;
  /** By Secret: who damaged it, in the current series of repairs. */
  readonly contenders: ReadonlyMap<string, string>;
  /** Reasons that were reported about objects' dates, by object and version. */
  readonly datesReported: ReadonlyMap<string, string>;
  /** Time up to which an earlier process reported dates; undefined if none did. */
  readonly datesReportedUntil?: number | undefined;
}

/** A poll whose time has come, however late it runs. */
export interface DuePoll {
  /** Unix milliseconds. */
  readonly due: number;
  /** An answer to an earlier poll serves this one if that poll was due less than this long before (milliseconds). */
  readonly interval: number;
}

/** A class that the worker syncs, as a reconcile finds it. */
export interface Sight {
  readonly cluster: string;
  readonly key: string;
  readonly spc: SecretProviderClass;
  /** Milliseconds between two polls. */
  readonly interval: number;
  readonly status: ClassStatus | undefined;
  /** Time up to which the previous leader has made all polls. */
  readonly polledUntil: PolledUntil;
  readonly now: number;
}

export type StateEvent =
  | { readonly kind: "seen"; readonly sight: Sight }
  /** The reason for the failure of the class may be gone. */
  | { readonly kind: "retryAsked"; readonly now: number }
  /**
   * Another class found that an object of this class changed, or an event of the vault reported it at `eventAt`, so the poll of this class
   * is due.
   */
  | { readonly kind: "objectChanged"; readonly eventAt?: number }
  /** A pod mounts the class, so its earlier absence no longer counts. */
  | { readonly kind: "used" }
  | { readonly kind: "unused"; readonly since: number | undefined }
  /** The class has no Secrets because no pod uses it; `reported` is what its status reports about that. */
  | { readonly kind: "rested"; readonly reported: ReportedReason }
  | { readonly kind: "damageSeen"; readonly now: number }
  /** The damage was undone before the worker repaired it. */
  | { readonly kind: "damageGone" }
  /** The worker is about to query the vault. */
  | { readonly kind: "fetchBegan"; readonly trigger: FetchTrigger; readonly now: number }
  | { readonly kind: "repaired"; readonly name: string; readonly by: string }
  | ({ readonly kind: "answered" } & Answered)
  /** A poll found nothing changed. `checkedAt` is as in {@link Answered}, `polledAt` as in {@link FetchEnded}. */
  | { readonly kind: "foundUnchanged"; readonly checkedAt: number; readonly polledAt: number; readonly now: number }
  /** The result of the answer is written, also in the status. */
  | ({ readonly kind: "fetchEnded" } & FetchEnded)
  | { readonly kind: "reported"; readonly reported: ReportedReason }
  | { readonly kind: "staleReported"; readonly isStale: boolean }
  | { readonly kind: "datesReported"; readonly byObject: ReadonlyMap<string, string> };

/** Result of an attempt. */
export interface Answered {
  /** Why the vault did not answer for every object that was checked; undefined if it did. */
  readonly failure: ReportedReason | undefined;
  /** Time since which all objects that the class needs were checked; undefined if only some of them were. */
  readonly checkedAt: number | undefined;
  readonly failing: ReadonlySet<string>;
  readonly retry: Retry;
  readonly now: number;
  /** From 0 to 1. Spreads the retries of classes. */
  readonly spread: number;
}

export interface FetchEnded {
  /** Value of the refresh annotation when the worker queried the vault. */
  readonly refresh: string | undefined;
  readonly isAnswered: boolean;
  /** When the poll began; undefined if the fetch was not a poll. */
  readonly polledAt: number | undefined;
  /** Value of the state when the fetch began. A change that is seen later needs another check. */
  readonly changeSeen: number | undefined;
  readonly now: number;
}

/** Returns the state after an event; undefined before the class is seen for the first time. */
export function nextState(state: ClassState | undefined, event: StateEvent): ClassState | undefined {
  if (event.kind === "seen") return state === undefined ? firstSight(event.sight) : seenAgain(state, event.sight);
  return state && changed(state, event);
}

function changed(state: ClassState, event: Exclude<StateEvent, { readonly kind: "seen" }>): ClassState {
  switch (event.kind) {
    case "retryAsked":
      return { ...state, retryAt: event.now };
    case "objectChanged":
      return { ...state, changeSeen: (state.changeSeen ?? 0) + 1, eventAt: event.eventAt ?? state.eventAt };
    case "used":
      return state.unusedSince === undefined ? state : { ...state, unusedSince: undefined };
    case "unused":
      return { ...state, unusedSince: event.since };
    case "rested":
      return { ...state, isIdle: true, failures: 0, failing: new Set(), lastEvent: event.reported };
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
      return { ...state, lastEvent: event.reported };
    case "staleReported":
      return state.isStaleReported === event.isStale ? state : { ...state, isStaleReported: event.isStale };
    case "datesReported":
      return { ...state, datesReported: event.byObject };
    default:
      return assertNever(event);
  }
}

/** Returns the state without damage that waits for its repair. */
export function withoutDamage(state: ClassState): ClassState {
  return { ...state, repairs: { ...state.repairs, seen: undefined } };
}

/** Triggers that someone else caused by an edit of a Secret, or by its deletion. */
export const REPAIRS: readonly FetchTrigger[] = ["SecretMissing", "SecretEdited"];

export function isRepair(trigger: FetchTrigger): boolean {
  return REPAIRS.includes(trigger);
}

/** Milliseconds to wait before a repair. If someone undoes each repair, every repair costs a read from the vault and a write. */
export function repairPause({ repairs }: ClassState, trigger: FetchTrigger, now: number): number {
  return isRepair(trigger) ? paceRepair(repairs, now).pauseMs : 0;
}

/** Time until which the class counts as contested, because someone undoes each repair; undefined if it does not. */
export function isContestedUntil({ repairs }: ClassState, now: number): number | undefined {
  return contestedUntil(repairs, now);
}

/** Time of the last check that is known to have succeeded; otherwise the time of this process's first reconcile of the class. */
export function lastCheckOf(state: ClassState): number {
  return knownCheckOf(state) ?? state.knownSince;
}

/** Time of the last check that succeeded; undefined if none is known. */
export function knownCheckOf({ lastSuccess, checkedBefore }: ClassState): number | undefined {
  return latest(lastSuccess, checkedBefore);
}

/**
 * Time of the last successful check by earlier leaders, for a class that this process has not reconciled yet; undefined if unknown. The
 * first reconcile assumes that a leader without a record made all polls, but such an assumption is not a check.
 */
export function earlierCheckOf(sight: Sight): number | undefined {
  return sight.polledUntil === undefined ? undefined : knownCheckOf(firstSight(sight));
}

/**
 * Returns the poll that a check counts as: the poll that was due last, of which the check may be a retry. If a retry used its own time, a
 * list that was too old for the poll could serve the retry, and the class would go unchecked for two intervals.
 */
export function pollFor({ nextPoll, lastPoll, duePoll, interval, phase, eventAt }: ClassState, now: number): DuePoll {
  // A list from before the event may not show the change.
  if (eventAt !== undefined) return { due: now, interval: Math.min(interval, Math.max(0, now - eventAt)) };
  if (now < nextPoll) return duePoll ?? { due: nextPoll - interval, interval };
  // If several polls were missed, only the last one counts.
  const due = Math.max(nextPoll, pollAfter(phase, interval, now) - interval);
  // If the poll times moved, the list of the last poll is younger than an interval, but too old to show anything new.
  return { due, interval: lastPoll === undefined ? interval : Math.min(interval, due - lastPoll) };
}

function pollAfter(phase: ClassState["phase"], interval: number, now: number): number {
  return now + untilNextPoll({ ...phase, interval, now });
}

/** After a start, the stored status decides: if it reports `Synced`, the worker does not query the vault before the poll is due. */
function firstSight({ cluster, key, spc, interval, status, polledUntil: reported, now }: Sight): ClassState {
  const phase = { cluster, key };
  const first = { ...UNKNOWN, knownSince: now, uid: spc.metadata.uid, phase, interval, retryAt: now };
  if (status === undefined) return { ...first, nextPoll: pollAfter(phase, interval, now) };
  const facts = storedFacts(spc, status, now);
  const polledUntil = hasStoredFailure(status) ? undefined : reported;
  const polls = { ...phase, interval, now, checked: facts.lastSuccess, polledUntil };
  const checkedBefore = hasStoredFailure(status) ? undefined : lastPollBefore(polls);
  const due = firstPoll(polls);
  return { ...first, ...facts, nextPoll: Math.max(now, due), missedPoll: due < now ? due : undefined, checkedBefore };
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
  // The failure was that of the earlier object.
  const retryAt = state.uid === uid ? state.retryAt : now;
  // A shorter interval counts from the edit. Under a longer interval, the poll that was already scheduled is still made.
  const nextPoll = state.interval === interval ? state.nextPoll : Math.min(state.nextPoll, pollAfter(state.phase, interval, now));
  const intervalSince = state.interval === interval ? state.intervalSince : now;
  return { ...state, uid, isMadeAnew: state.isMadeAnew === true || state.uid !== uid, retryAt, interval, intervalSince, nextPoll };
}

/** Whether the status reports a failure. It is then unknown which objects of the class were checked. */
export function hasStoredFailure(status: ClassStatus): boolean {
  return status.secrets.some(({ state }) => state !== "Synced") || conditionOf(status, "Fresh")?.status === "False";
}

/**
 * Whether a new leader that finds this status relies on the polls of the previous leader. For any other class, it queries the vault at the
 * first reconcile, or relies on the stored facts of that class alone.
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

/** Returns the request that was answered before this process started. A request that was made while no worker was running is still open. */
function observedRefresh({ metadata }: SecretProviderClass, { observedRefresh: stored }: ClassStatus): string | undefined {
  const stated = metadata.annotations?.[CLASS_ANNOTATIONS.refresh];
  return stated?.slice(0, REFRESH_CHARACTERS) === stored ? stated : stored;
}

function fetchBegan(state: ClassState, trigger: FetchTrigger, now: number): ClassState {
  const { repairs } = state;
  if (!isRepair(trigger)) return { ...state, repairs: { ...repairs, seen: undefined } };
  // After a series has ended, the contenders belong to an earlier, unrelated conflict.
  const contenders = repairs.inARow === 0 ? new Map<string, string>() : state.contenders;
  return { ...state, contenders, repairs: afterRepair(repairs, now) };
}

function answered(before: ClassState, { failure, checkedAt, failing, retry, now, spread }: Answered): ClassState {
  const isFresh = failure === undefined;
  const lastSuccess = isFresh ? latest(before.lastSuccess, checkedAt) : before.lastSuccess;
  // A check of some objects says nothing about other objects that failed before.
  const unseen = isFresh && checkedAt === undefined ? before.failure : undefined;
  const state = { ...before, lastSuccess, failing, failure: failure ?? unseen, isIdle: false };
  if (isFresh && failing.size === 0) return unseen === undefined ? { ...state, failures: 0 } : state;
  const why: Retry = isFresh && retry.kind === "never" ? { kind: "backoff" } : retry;
  // An earlier poll may have been answered from the cache. The retry still queries the vault.
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
    ...(state.changeSeen === changeSeen ? { changeSeen: undefined, eventAt: undefined } : {}),
  };
}

function polled(state: ClassState, polledAt: number, now: number): ClassState {
  const { nextPoll, phase, interval } = state;
  // A poll that became due during this one is not made, so this one counts for it.
  const duePoll = pollFor(state, Math.max(polledAt, Math.min(now, nextPoll)));
  const lastPoll = Math.min(polledAt, nextPoll);
  return { ...state, missedPoll: undefined, lastPoll, duePoll, nextPoll: pollAfter(phase, interval, now) };
}

function latest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}
