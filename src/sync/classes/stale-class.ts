import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOf } from "../../domain/object-key.ts";
import { maxStale } from "../../domain/schedule/max-stale.ts";
import { type ClassStatus, conditionOf, isStale, staleMessage, withCondition } from "../../domain/sync/class-status.ts";
import type { WorkerContext } from "../worker-context.ts";
import type { ClassMemory } from "./class-memory.ts";

/** Tells once, by an event, that the stored status calls the class stale. */
export function tellStale(context: WorkerContext, provider: SecretProviderClass, memory: ClassMemory): void {
  const fresh = conditionOf(context.statuses.get(refOf(provider)), "Fresh");
  const wasTold = memory.isStaleTold;
  memory.isStaleTold = fresh?.reason === "Stale";
  if (fresh?.reason !== "Stale" || wasTold) return;
  context.events.emit({ regarding: provider, type: "Warning", reason: "Stale", message: fresh.message });
  context.logger.warn("class is stale", { class: keyOf(provider), reason: "Stale", detail: fresh.message });
}

/** The age that the class allows may be reached between two attempts, too. */
export async function reviewStaleness(
  context: WorkerContext,
  provider: SecretProviderClass,
  memory: ClassMemory,
  signal: AbortSignal,
): Promise<void> {
  const now = context.clock.now();
  const allowed = { lastSuccess: memory.lastSuccess, maxStale: maxStaleOf(context, provider) };
  if (!isStale(allowed, now)) return;
  const { lastSuccess = now, maxStale: age = 0 } = allowed;
  const change = (told: ClassStatus | undefined): ClassStatus | undefined => {
    const fresh = conditionOf(told, "Fresh");
    if (told === undefined || fresh === undefined || fresh.reason === "Stale") return undefined;
    const why = fresh.status === "True" ? "no check was made since" : `${fresh.reason}: ${fresh.message}`;
    return withCondition(told, { type: "Fresh", status: "False", reason: "Stale", message: staleMessage(lastSuccess, age, why) }, now);
  };
  await context.statuses.update(refOf(provider), change, signal);
  tellStale(context, provider, memory);
}

/** Unix milliseconds when the class becomes stale, where nothing changes before. */
export function staleAt(context: WorkerContext, provider: SecretProviderClass, memory: ClassMemory): number | undefined {
  const age = maxStaleOf(context, provider);
  return age === undefined || memory.lastSuccess === undefined || memory.isStaleTold ? undefined : memory.lastSuccess + age + 1;
}

/** Without rotation nothing is checked regularly, and an age means nothing. */
export function maxStaleOf({ settings }: WorkerContext, provider: SecretProviderClass): number | undefined {
  return settings.enableSecretRotation ? maxStale(provider) : undefined;
}
