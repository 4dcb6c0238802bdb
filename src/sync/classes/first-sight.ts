import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOf } from "../../domain/object-key.ts";
import { firstPoll, lastPollBefore, untilNextPoll } from "../../domain/schedule/phase.ts";
import { pollInterval } from "../../domain/schedule/poll-interval.ts";
import { type ClassStatus, conditionOf, REFRESH_CHARACTERS } from "../../domain/sync/class-status.ts";
import { storedTime } from "../../domain/sync/stored-time.ts";
import type { WorkerContext } from "../worker-context.ts";
import { type ClassMemory, newMemory } from "./class-memory.ts";

/** What is known of the class. After a start, what is stored decides: one whose status says `Synced` is not asked for before its poll is due. */
export function memoryOf(context: WorkerContext, provider: SecretProviderClass, interval: number): ClassMemory {
  const key = keyOf(provider);
  const known = context.memories.get(key);
  const now = context.clock.now();
  const { uid } = provider.metadata;
  if (known !== undefined) {
    // The failure was that of the class before.
    if (known.uid !== uid) known.retryAt = now;
    known.uid = uid;
    return withInterval(context, { key, memory: known, interval });
  }
  const stored = context.statuses.get(refOf(provider));
  const first = { knownSince: now, uid, interval, nextPoll: nextPoll(context, key, interval), retryAt: now };
  if (stored === undefined) return context.memories.remember(key, newMemory(first));
  const facts = storedFacts(provider, stored, now);
  // Of one that failed, nobody knows which of its objects were looked at.
  const polledUntil = facts.failures === 0 ? context.polledUntil : undefined;
  const polls = { cluster: context.settings.cluster, key, interval, now, checked: facts.lastSuccess, polledUntil };
  const checkedBefore = facts.failures === 0 ? lastPollBefore(polls) : undefined;
  return context.memories.remember(key, newMemory({ ...first, ...facts, nextPoll: firstPoll(polls), checkedBefore }));
}

export function intervalOf({ settings }: WorkerContext, provider: SecretProviderClass): number {
  return pollInterval(provider, settings.rotationPollInterval);
}

/** Unix milliseconds of the last check that succeeded, as far as is known; where nothing is, this process's first sight of the class. */
export function lastCheckOf({ lastSuccess, checkedBefore, knownSince }: ClassMemory): number {
  if (lastSuccess === undefined && checkedBefore === undefined) return knownSince;
  return Math.max(lastSuccess ?? Number.NEGATIVE_INFINITY, checkedBefore ?? Number.NEGATIVE_INFINITY);
}

/** A shorter interval counts from the edit on; under a longer one the poll that was announced is made all the same. */
function withInterval(
  context: WorkerContext,
  { key, memory, interval }: { readonly key: string; readonly memory: ClassMemory; readonly interval: number },
): ClassMemory {
  if (memory.interval !== interval) memory.nextPoll = Math.min(memory.nextPoll, nextPoll(context, key, interval));
  memory.interval = interval;
  return memory;
}

/** Of a poll that is due: how far from it the one before may lie whose answer still serves it (milliseconds). */
export function intervalBefore({ nextPoll: due, lastPoll, interval }: ClassMemory, now: number): number {
  // Where phases moved, the list of the last poll is younger than an interval. It says nothing that was not seen then.
  return lastPoll === undefined || now < due ? interval : Math.min(interval, due - lastPoll);
}

export function nextPoll(context: WorkerContext, key: string, interval: number): number {
  const now = context.clock.now();
  return now + untilNextPoll({ cluster: context.settings.cluster, key, interval, now });
}

function storedFacts(provider: SecretProviderClass, stored: ClassStatus, now: number): Partial<ClassMemory> {
  const synced = conditionOf(stored, "Synced");
  const fresh = conditionOf(stored, "Fresh");
  const checked = storedTime(stored.lastSuccessfulCheckTime, now);
  const hasFailed = stored.secrets.some(({ state }) => state !== "Synced") || fresh?.status === "False";
  const lastRefresh = observedRefresh(provider, stored);
  return {
    failures: hasFailed ? 1 : 0,
    lastRefresh,
    triedRefresh: lastRefresh,
    lastSuccess: checked,
    lastTold: synced === undefined ? undefined : { reason: synced.reason, message: synced.message },
    isStaleTold: fresh?.reason === "Stale",
    datesToldUntil: checked,
    isIdle: stored.secrets.length === 0 && synced?.status === "True",
  };
}

/** The request that was answered before this process started; one that came while nobody listened is still open. */
function observedRefresh(provider: SecretProviderClass, { observedRefresh: stored }: ClassStatus): string | undefined {
  const stated = provider.metadata.annotations?.[CLASS_ANNOTATIONS.refresh];
  return stated?.slice(0, REFRESH_CHARACTERS) === stored ? stated : stored;
}
