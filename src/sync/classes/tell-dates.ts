import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOf } from "../../domain/object-key.ts";
import { dateNotices, nextDate } from "../../domain/sync/object-dates.ts";
import type { WorkerContext } from "../worker-context.ts";
import type { ClassMemory } from "./class-memory.ts";

/**
 * Tells each object once that it expires soon, has expired or is not valid yet. What came up before the last check that is
 * stored was told by the worker that made it.
 */
export function tellDates(context: WorkerContext, provider: SecretProviderClass, memory: ClassMemory): void {
  const stored = context.statuses.get(refOf(provider));
  const before = memory.datesTold;
  const notices = dateNotices(stored?.secrets ?? [], dateOptions(context));
  memory.datesTold = new Map(notices.map(({ object, reason }) => [object, reason]));
  const toldUntil = memory.datesToldUntil;
  for (const { object, reason, message, since } of notices) {
    if (before.get(object) === reason || (toldUntil !== undefined && since <= toldUntil)) continue;
    context.events.emit({ regarding: provider, type: "Warning", reason, message });
    context.logger.warn("an object's dates need attention", { class: keyOf(provider), reason, detail: message });
  }
}

/** Unix milliseconds when an object of the class is to be told of next. */
export function nextDateOf(context: WorkerContext, provider: SecretProviderClass): number | undefined {
  return nextDate(context.statuses.get(refOf(provider))?.secrets ?? [], dateOptions(context));
}

function dateOptions({ clock, settings }: WorkerContext): { readonly now: number; readonly warning: number } {
  return { now: clock.now(), warning: settings.expiryWarning };
}
