import type { CrdIdentity } from "../../domain/healing/snapshot.ts";
import { refOfKey } from "../../domain/object-key.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import { maxStale } from "../../domain/schedule/class-annotations.ts";
import { isCheckTimeDue } from "../../domain/sync/class-status.ts";
import { isOutOfDate } from "../../domain/sync/freshness.ts";
import { dateNotices, nextDate } from "../../domain/sync/object-dates.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import type { Recheck, Refused } from "../vault/mirror.ts";
import type { WorkerSettings } from "../worker-settings.ts";
import type { StepResult } from "./action.ts";
import { type ClassCaches, isFollowedBy, type Observation } from "./observe.ts";
import { type Mirrored, pollTiming } from "./plan-fetch.ts";
import type { FetchOutcome } from "./plan-report.ts";
import type { ClassMemory, ClassPorts } from "./ports.ts";
import { hasStoredFailure, lastCheckOf } from "./state.ts";
import type { StatusStore } from "./status-store.ts";

/**
 * The facts behind a poll that found no problem, and had nothing to fetch, write, or report. While all of them stay the same, the next poll
 * has the same result unless the vault's lists change.
 */
export interface AtRest {
  readonly spc: HeldClass;
  readonly crd: CrdIdentity;
  readonly status: ClassStatus;
  readonly secrets: readonly ObservedSecret[];
  readonly isUsed: boolean;
  readonly isFollowed: Observation["isFollowed"];
  readonly guardrails: FetchOutcome["guardrails"];
  readonly recheck: Recheck;
  /** Time in Unix milliseconds at which the worker has to report something about an object's dates; infinite if there is nothing to report. */
  readonly until: number;
}

/** Dependencies of a poll of a class at rest. */
export interface RestPorts extends Pick<ClassPorts, "clock"> {
  readonly caches: ClassCaches & { readonly statuses: Pick<StatusStore, "hasUnstored"> };
  readonly memory: Pick<ClassMemory, "states">;
}

/** `requeueAt`: the poll is done. Undefined: the class needs a normal reconcile. */
export type PollAtRest = Extract<StepResult, { readonly kind: "requeueAt" }> | Refused | undefined;

/**
 * Returns the facts for a class that was just fetched; undefined if its next poll may have another result. `planned` is the class as the
 * fetch was planned for it, `now` as it is after the fetch.
 */
export function classAtRest(
  settings: Pick<WorkerSettings, "expiryWarning">,
  { planned, now: after }: { readonly planned: Mirrored; readonly now: Mirrored },
  { fetch, answer, guardrails }: FetchOutcome,
): AtRest | undefined {
  if (fetch.trigger !== "PollDue" || answer.kind !== "answered" || answer.recheck === undefined) return undefined;
  const { spc, crd, status, isFollowed, pods, now } = after;
  const secretsNow = secretsOf(after);
  // No pass has checked a change that someone made while the worker queried the vault.
  if (!areSame(secretsOf(planned), secretsNow) || pods.isUsed !== planned.pods.isUsed || isFollowed !== planned.isFollowed)
    return undefined;
  // The status reports how old a failure is, and whether it is over. The vault's lists show neither.
  if (crd.kind === "frozen" || status === undefined || hasStoredFailure(status) || maxStale(spc) !== undefined) return undefined;
  const dates = { now, warning: settings.expiryWarning };
  if (dateNotices(status.secrets, dates).length > 0) return undefined;
  const until = nextDate(status.secrets, dates) ?? Number.POSITIVE_INFINITY;
  const { recheck } = answer;
  return { spc, crd, status, isUsed: pods.isUsed, isFollowed, secrets: secretsNow, guardrails, recheck, until };
}

/** Polls a class at rest, if its poll is due and there is nothing else to do. */
export async function pollAtRest(
  { caches, clock, memory: { states } }: RestPorts,
  { key, resting }: { readonly key: string; readonly resting: AtRest },
  signal: AbortSignal,
): Promise<PollAtRest> {
  const began = clock.now();
  const before = states.get(key);
  const isAsLeft = (): boolean => isSame(caches, key, resting) && !caches.statuses.hasUnstored(refOfKey(key));
  // The rest of the state is as the last poll left it: every change of it causes a reconcile, which ends the rest.
  if (before === undefined || began < before.nextPoll || before.changeSeen !== undefined || began >= resting.until) return undefined;
  if (!isAsLeft() || isCheckTimeDue(resting.status, { now: began })) return undefined;
  const rechecked = await resting.recheck(pollTiming(before, began), signal);
  const now = clock.now();
  // The recheck does not cover changes that were made meanwhile.
  if (rechecked.kind === "changed" || states.get(key) !== before || !isAsLeft()) return undefined;
  if (rechecked.kind === "refused") return rechecked;
  const { checkedAt } = rechecked;
  const lastCheck = Math.max(lastCheckOf(before), checkedAt);
  if (isOutOfDate({ lastCheck, interval: before.interval, now, notBefore: before.intervalSince })) return undefined;
  const state = states.note(key, { kind: "foundUnchanged", checkedAt, polledAt: began, now });
  return { kind: "requeueAt", at: Math.min(state?.nextPoll ?? now, resting.until) };
}

/**
 * Whether all facts that decisions about the class depend on are the same. Every change replaces an object in the live copies, so comparing
 * references is enough.
 */
function isSame(caches: ClassCaches, key: string, resting: Omit<AtRest, "recheck" | "until">): boolean {
  const ref = refOfKey(key);
  const { spc, crd, status, secrets, guardrails, isUsed, isFollowed } = resting;
  if (caches.classes.get(ref) !== spc || caches.statuses.get(ref) !== status || caches.consumers.isUsed(key) !== isUsed) return false;
  if ((caches.parts.hints?.of(key).length ?? 0) > 0 || caches.cluster.guardrails.known !== guardrails) return false;
  if (isFollowedBy(caches.parts, key) !== isFollowed) return false;
  const now = caches.cluster.crdHealth.state;
  if (now.kind === "frozen" || now.crdUid !== crd.crdUid || now.crdGeneration !== crd.crdGeneration) return false;
  return caches.snapshots.isCurrent(spc, crd) && areSame(caches.secrets.ofClass(key), secrets);
}

function secretsOf({ secrets: { named } }: Mirrored): readonly ObservedSecret[] {
  return named.map(({ secret }) => secret);
}

function areSame(some: readonly ObservedSecret[], others: readonly ObservedSecret[]): boolean {
  return some.length === others.length && some.every((secret, index) => secret === others[index]);
}
