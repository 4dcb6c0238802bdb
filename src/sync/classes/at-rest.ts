import type { CrdIdentity } from "../../domain/healing/snapshot.ts";
import { refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import { maxStale } from "../../domain/schedule/class-annotations.ts";
import { type ClassStatus, isCheckTimeDue } from "../../domain/sync/class-status.ts";
import { isOutOfDate } from "../../domain/sync/freshness.ts";
import { dateNotices, nextDate } from "../../domain/sync/object-dates.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { Mirror, Recheck } from "../vault/mirror.ts";
import type { StepResult } from "./action.ts";
import type { ClassStates } from "./class-states.ts";
import { type ClassCaches, isFollowedBy, type Observation } from "./observe.ts";
import { type Fetch, pollTiming } from "./plan-fetch.ts";
import { type ClassState, isContestedUntil, lastCheckOf } from "./state.ts";
import type { StatusStore } from "./status-store.ts";

/**
 * What a poll found that had nothing to fetch, to write and to tell. While all of this stays as it is, by identity, the next poll comes to the
 * same if the vault's lists do, and the class does not have to be read again.
 */
export interface AtRest {
  readonly spc: HeldClass;
  readonly crd: CrdIdentity;
  readonly status: ClassStatus;
  readonly secrets: readonly ObservedSecret[];
  readonly isUsed: boolean;
  readonly isFollowed: Observation["isFollowed"];
  readonly unguarded: string | undefined;
  readonly recheck: Recheck;
  /** Unix milliseconds: then something is to be told of an object's dates; infinite where nothing is. */
  readonly until: number;
}

/** What a poll of a class at rest goes by. */
export interface RestPorts {
  readonly caches: ClassCaches;
  readonly clock: Clock;
  readonly stores: { readonly states: ClassStates; readonly statuses: Pick<StatusStore, "hasUnstored"> };
}

type Refused = Extract<Mirror, { readonly kind: "refused" }>;

/** `result`: the poll was made. `answer`: the vault refused it, which has to be told. Undefined: the class has to be looked at as any other. */
export type QuietPoll = { readonly result: StepResult } | { readonly answer: Refused } | undefined;

/** Of a class that was just looked at; undefined where its next poll may come to something else. */
export function atRest(
  { settings, secrets }: ClassCaches,
  { key, spc, crd, status, isFollowed, pods, now }: Observation,
  { fetch, answer, unguarded }: { readonly fetch: Fetch; readonly answer: Mirror; readonly unguarded: string | undefined },
): AtRest | undefined {
  if (fetch.trigger !== "PollDue" || answer.kind !== "answered" || answer.recheck === undefined) return undefined;
  if (spc === undefined || crd.kind === "frozen" || status === undefined || maxStale(spc) !== undefined) return undefined;
  const dates = { now, warning: settings.expiryWarning };
  if (dateNotices(status.secrets, dates).length > 0) return undefined;
  const until = nextDate(status.secrets, dates) ?? Number.POSITIVE_INFINITY;
  const { recheck } = answer;
  return { spc, crd, status, isUsed: pods.isUsed, isFollowed, secrets: secrets.ofClass(key), unguarded, recheck, until };
}

/** Makes the poll of a class at rest, if it is due and there is nothing else to be done. */
export async function pollAtRest(ports: RestPorts, key: string, resting: AtRest, signal: AbortSignal): Promise<QuietPoll> {
  const { caches, clock, stores } = ports;
  const began = clock.now();
  const before = stores.states.get(key);
  if (before === undefined || !isPollAlone(before, began) || began >= resting.until) return undefined;
  if (!isAsLeft(ports, key, resting) || isCheckTimeDue(resting.status, began)) return undefined;
  const rechecked = await resting.recheck(pollTiming(before, began), signal);
  const now = clock.now();
  // What changed meanwhile is not what was looked at.
  if (rechecked.kind === "changed" || stores.states.get(key) !== before || !isAsLeft(ports, key, resting)) return undefined;
  if (rechecked.kind === "refused") return { answer: rechecked };
  const { checkedAt } = rechecked;
  const lastCheck = Math.max(lastCheckOf(before), checkedAt);
  if (isOutOfDate({ lastCheck, interval: before.interval, now, notBefore: before.intervalSince })) return undefined;
  const state = stores.states.note(key, { kind: "foundUnchanged", checkedAt, polledAt: began, now });
  const next = Math.min(state?.nextPoll ?? now, resting.until);
  return caches.settings.enableSecretRotation ? { result: { kind: "requeueAt", at: next } } : undefined;
}

/** The poll is due, and is all that is due. */
function isPollAlone(state: ClassState, now: number): boolean {
  const { nextPoll, failures, failure, failing, changeSeen, isIdle, unusedSince, isStaleReported, repairs, isMadeAnew, datesReported } =
    state;
  if (now < nextPoll || failures > 0 || failure !== undefined || failing.size > 0 || changeSeen !== undefined) return false;
  if (isIdle || unusedSince !== undefined || isStaleReported || isMadeAnew === true || datesReported.size > 0) return false;
  return repairs.seen === undefined && isContestedUntil(state, now) === undefined;
}

/** Nothing that a decision about the class goes by is another thing than it was. */
function isAsLeft({ caches, stores }: RestPorts, key: string, resting: AtRest): boolean {
  const ref = refOfKey(key);
  const { spc, crd, status, secrets, unguarded, isUsed, isFollowed } = resting;
  if (caches.classes.get(ref) !== spc || caches.statuses.get(ref) !== status || stores.statuses.hasUnstored(ref)) return false;
  if (caches.consumers.isUsed(key) !== isUsed) return false;
  if ((caches.hints?.of(key).length ?? 0) > 0 || caches.cluster.guardrails.problem !== unguarded) return false;
  if (isFollowedBy(caches, key) !== isFollowed) return false;
  const now = caches.crdHealth.state;
  if (now.kind === "frozen" || now.crdUid !== crd.crdUid || now.crdGeneration !== crd.crdGeneration) return false;
  return caches.snapshots.isCurrent(spc, crd) && areSame(caches.secrets.ofClass(key), secrets);
}

function areSame(some: readonly ObservedSecret[], others: readonly ObservedSecret[]): boolean {
  return some.length === others.length && some.every((secret, index) => secret === others[index]);
}
