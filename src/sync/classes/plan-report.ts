import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import type { Retry } from "../../domain/ports/retry.ts";
import { maxStale } from "../../domain/schedule/class-annotations.ts";
import { type ClassOutcome, isStale } from "../../domain/sync/class-status.ts";
import { isOutOfDate, throttledPolls } from "../../domain/sync/freshness.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { dateNotices, nextDate } from "../../domain/sync/object-dates.ts";
import { heldObjects, objectStatuses, summarizeObjects } from "../../domain/sync/object-status.ts";
import type { ObjectStatus, ReportedReason, SecretStatus } from "../../domain/sync/status-fields.ts";
import { summarize } from "../../domain/sync/summarize.ts";
import type { Mirror } from "../vault/mirror.ts";
import type { WorkerSettings } from "../worker-settings.ts";
import { type Action, type Step, UNSETTLED } from "./action.ts";
import type { Fetch, Mirrored } from "./plan-fetch.ts";
import { type Answered, type ClassState, isContestedUntil, lastCheckOf, nextState } from "./state.ts";

/** Result of a fetch. */
export interface FetchOutcome {
  readonly fetch: Fetch;
  /** Unix milliseconds when the fetch began. */
  readonly began: number;
  readonly answer: Mirror;
  /** Status of each Secret after its write. */
  readonly secrets: readonly SecretStatus[];
  /** When to retry the writes that the API server refused; undefined if it refused none. */
  readonly writeRetry?: Retry | undefined;
  /** State of the policies that limit the worker; undefined if the worker does not know it. */
  readonly guardrails: ClassOutcome["guardrails"];
  /** From 0 to 1. Spreads the retries of classes. */
  readonly spread: number;
}

/** Plans the status, the events, and the state of the class after a fetch. */
export function planReport(
  observation: Mirrored,
  state: ClassState,
  { fetched, settings }: { readonly fetched: FetchOutcome; readonly settings: WorkerSettings },
): Step & { readonly outcome: ClassOutcome } {
  const { now, spc } = observation;
  const { fetch, answer, secrets, began, spread } = fetched;
  const failing = new Set(secrets.filter(hasFailed).map(({ name }) => name));
  const checkedAt = answer.kind === "answered" ? answer.checkedAt : undefined;
  const failure = answer.kind === "refused" ? { reason: answer.reason, message: answer.message } : answer.notFresh;
  const answered: Answered = { failure, checkedAt, failing, retry: retryOf(fetched), now, spread };
  const after = nextState(state, { kind: "answered", ...answered }) ?? state;
  const isAnswered = failure === undefined || answer.retry.kind === "never";
  const refresh = isAnswered ? spc.metadata.annotations?.[CLASS_ANNOTATIONS.refresh] : state.lastRefresh;
  const objects = objectsAfter(observation, answer, state.lastSuccess);
  const summary = objects === undefined ? summarize(secrets) : summarizeObjects(objects);
  const reported = answer.kind === "refused" ? { reason: answer.reason, message: answer.message } : summary;
  const notFresh = after.failure ?? throttled(after, settings, now);
  const outcome: ClassOutcome = {
    ...reported,
    generation: spc.metadata.generation ?? 0,
    isFresh: notFresh === undefined,
    notFresh,
    secrets,
    objects,
    lastSuccess: after.lastSuccess,
    maxStale: maxStaleOf(spc, settings),
    refresh,
    guardrails: fetched.guardrails,
  };
  const warned: readonly Action[] = answer.kind === "answered" ? [{ kind: "warn", topic: "parameters", problems: answer.warnings }] : [];
  // Noted only at the end: an interrupted attempt does not count, and an attempt without an answer leaves the request open.
  const polledAt = fetch.isPoll ? began : undefined;
  const { changeSeen } = fetch;
  const ended = { kind: "fetchEnded", refresh: fetch.refresh, isAnswered, polledAt, changeSeen } as const;
  const actions: readonly Action[] = [
    ...warned,
    { kind: "note", event: { kind: "answered", ...answered } },
    { kind: "setStatus", outcome },
    { kind: "reportStale" },
    ...reportOutcome(state.lastEvent, reported),
    { kind: "note", event: { ...ended, now } },
  ];
  return { actions, result: { kind: "continue" }, outcome };
}

/** Returns the object statuses of a class that syncs no Secret. `checked`: when all objects that it names were last checked (Unix milliseconds). */
function objectsAfter({ now, spc, status }: Mirrored, answer: Mirror, checked: number | undefined): readonly ObjectStatus[] | undefined {
  if (secretObjectsOf(spc).length > 0) return undefined;
  if (answer.kind === "refused") return heldObjects(status?.objects, answer);
  return objectStatuses(answer.objects ?? [], { stored: status?.objects, checked, now });
}

/** A refusal of the vault that lasts until something changes does not delay writes that the API server may accept soon. */
function retryOf({ answer, writeRetry }: FetchOutcome): Retry {
  const isForVault = answer.kind === "refused" || answer.notFresh !== undefined;
  return writeRetry === undefined || (isForVault && answer.retry.kind !== "never") ? answer.retry : writeRetry;
}

/** A contested Secret was written, so another attempt does not help. */
export function hasFailed({ state }: SecretStatus): boolean {
  return state !== "Synced" && state !== "Contested";
}

/** An answer that is based on data from long ago does not count as fresh. */
function throttled(state: ClassState, { enableSecretRotation }: WorkerSettings, now: number): ReportedReason | undefined {
  const facts = { lastCheck: lastCheckOf(state), interval: state.interval, now, notBefore: state.intervalSince };
  return enableSecretRotation && isOutOfDate(facts) ? throttledPolls(facts) : undefined;
}

/** Reports an outcome once while it lasts. */
function reportOutcome(before: ReportedReason | undefined, { reason, message }: ReportedReason): readonly Action[] {
  if (before?.reason === reason && before.message === message) return [];
  const noted: Action = { kind: "note", event: { kind: "reported", reported: { reason, message } } };
  const isGoodAsBefore = reason === "Synced" && before?.reason === "Synced";
  return isGoodAsBefore ? [noted] : [noted, { kind: "report", notice: { kind: "outcome", reason, message } }];
}

/** Without rotation there are no regular checks, so the age of a check means nothing. */
function maxStaleOf(spc: Mirrored["spc"], { enableSecretRotation }: WorkerSettings): number | undefined {
  return enableSecretRotation ? maxStale(spc) : undefined;
}

/** Plans everything that depends on time alone: whether the class is stale, which objects expire, and when to reconcile the class next. */
export function planNext(observation: Mirrored, state: ClassState, settings: WorkerSettings): Step {
  const { now, spc, status } = observation;
  const allowed = { lastSuccess: state.lastSuccess, maxStale: maxStaleOf(spc, settings) };
  const { lastSuccess, maxStale: age } = allowed;
  const isTooOld = isStale(allowed, now);
  const marked: readonly Action[] =
    isTooOld && lastSuccess !== undefined && age !== undefined
      ? [{ kind: "markStale", lastSuccess, maxStale: age }, { kind: "reportStale" }]
      : [];
  const dates = { now, warning: settings.expiryWarning };
  const stored = status?.secrets ?? [];
  const becomesStale =
    age === undefined || lastSuccess === undefined || state.isStaleReported || isTooOld ? undefined : lastSuccess + age + 1;
  const moments = [
    settings.enableSecretRotation ? state.nextPoll : undefined,
    state.failures > 0 ? state.retryAt : undefined,
    ...(settings.enableSecretRotation ? observation.hints.map(({ dueAt }) => dueAt) : []),
    isContestedUntil(state, now),
    becomesStale,
    nextDate(stored, dates),
  ];
  const due = moments.filter((moment) => moment !== undefined).filter(Number.isFinite);
  return {
    actions: [...marked, ...reportDates(state, dateNotices(stored, dates)), { kind: "storeStatus", otherwise: UNSETTLED }],
    result: due.length === 0 ? { kind: "done" } : { kind: "requeueAt", at: Math.min(...due) },
  };
}

/**
 * Reports once for each object that it expires soon, has expired, or is not valid yet. The worker that made the last stored check has
 * reported everything from before that check.
 */
function reportDates({ datesReported, datesReportedUntil }: ClassState, notices: ReturnType<typeof dateNotices>): readonly Action[] {
  if (notices.length === 0 && datesReported.size === 0) return [];
  const byObject = new Map(notices.map(({ object, reason }) => [object, reason]));
  const isNew = ({ object, reason, since }: (typeof notices)[number]): boolean =>
    datesReported.get(object) !== reason && (datesReportedUntil === undefined || since > datesReportedUntil);
  const reported = notices
    .filter(isNew)
    .map(({ reason, message }): Action => ({ kind: "report", notice: { kind: "date", reason, message } }));
  return [{ kind: "note", event: { kind: "datesReported", byObject } }, ...reported];
}
