import { refOfKey } from "../../domain/object-key.ts";
import { pollInterval } from "../../domain/schedule/poll-interval.ts";
import { syncMode } from "../../domain/schedule/sync-mode.ts";
import { type CheckedClass, checkAges } from "../../domain/sync/check-age.ts";
import { countByReason } from "../../domain/sync/class-count.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { firstExpiries } from "../../domain/sync/object-expiry.ts";
import type { WorkerContext } from "../worker-context.ts";
import type { ClassMemory } from "./class-memory.ts";
import type { ClassFacts } from "./class-metrics.ts";

/** What metrics tell of classes, from what is there now. */
export function classFacts(context: WorkerContext): ClassFacts {
  const { clock, memories, secrets, statuses } = context;
  const checked = (): readonly CheckedClass[] => memories.list().flatMap(([key, memory]) => checkedClass(context, key, memory) ?? []);
  return {
    countByReason: () => countByReason(statuses.list().map(({ status }) => status)),
    checkAges: () => checkAges(checked(), clock.now()),
    expiries: () => firstExpiries(statuses.list()),
    managedSecrets: () => secrets.size,
  };
}

/** Undefined for a class that is not checked: gone, switched off, of another provider, unused, or checked only when it changes. */
function checkedClass({ classes, settings }: WorkerContext, key: string, memory: ClassMemory): CheckedClass | undefined {
  const provider = classes.get(refOfKey(key));
  const isFailing = memory.failures > 0;
  if (provider === undefined || memory.isIdle || !settings.syncSecret) return undefined;
  if (syncMode(provider, settings.syncMode) === "never" || secretObjectsOf(provider).length === 0) return undefined;
  if (!settings.enableSecretRotation && !isFailing) return undefined;
  const { lastSuccess, knownSince } = memory;
  return { key, lastSuccess, knownSince, isFailing, interval: pollInterval(provider, settings.rotationPollInterval) };
}
