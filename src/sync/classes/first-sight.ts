import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { untilNextPoll } from "../../domain/schedule/phase.ts";
import { type ClassStatus, conditionOf, REFRESH_CHARACTERS } from "../../domain/sync/class-status.ts";
import type { WorkerContext } from "../worker-context.ts";
import { type ClassMemory, newMemory } from "./class-memory.ts";
import { keyOf, refOf } from "./class-ref.ts";

/** What is known of the class. After a start, what is stored decides: one whose status says `Synced` is not asked for before its phase. */
export function memoryOf(context: WorkerContext, provider: SecretProviderClass, interval: number): ClassMemory {
  const key = keyOf(provider);
  const known = context.memories.get(key);
  if (known !== undefined) return known;
  const stored = context.statuses.get(refOf(provider));
  const now = context.clock.now();
  const schedule = { knownSince: now, nextPoll: nextPoll(context, key, interval), retryAt: now };
  return context.memories.remember(key, newMemory({ ...schedule, ...(stored === undefined ? {} : storedFacts(provider, stored)) }));
}

export function nextPoll(context: WorkerContext, key: string, interval: number): number {
  const now = context.clock.now();
  return now + untilNextPoll({ cluster: context.settings.cluster, key, interval, now });
}

function storedFacts(provider: SecretProviderClass, stored: ClassStatus): Partial<ClassMemory> {
  const synced = conditionOf(stored, "Synced");
  const fresh = conditionOf(stored, "Fresh");
  const checked = stored.lastSuccessfulCheckTime;
  const hasFailed = stored.secrets.some(({ state }) => state !== "Synced") || fresh?.status === "False";
  const lastRefresh = observedRefresh(provider, stored);
  return {
    failures: hasFailed ? 1 : 0,
    lastRefresh,
    triedRefresh: lastRefresh,
    lastSuccess: checked === undefined ? undefined : Date.parse(checked),
    lastTold: synced === undefined ? undefined : { reason: synced.reason, message: synced.message },
    isStaleTold: fresh?.reason === "Stale",
    datesToldUntil: checked === undefined ? undefined : Date.parse(checked),
    isIdle: stored.secrets.length === 0 && synced?.status === "True",
  };
}

/** The request that was answered before this process started; one that came while nobody listened is still open. */
function observedRefresh(provider: SecretProviderClass, { observedRefresh: stored }: ClassStatus): string | undefined {
  const stated = provider.metadata.annotations?.[CLASS_ANNOTATIONS.refresh];
  return stated?.slice(0, REFRESH_CHARACTERS) === stored ? stated : stored;
}
