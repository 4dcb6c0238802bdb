import { refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import { pollInterval } from "../../domain/schedule/poll-interval.ts";
import { syncMode } from "../../domain/schedule/sync-mode.ts";
import { type CheckedClass, checkAges } from "../../domain/sync/check-age.ts";
import { countByReason } from "../../domain/sync/class-count.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { firstExpiries } from "../../domain/sync/object-expiry.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import type { WorkerSettings } from "../worker-settings.ts";
import type { ClassFacts } from "./class-metrics.ts";
import type { ClassStates } from "./class-states.ts";
import type { HeldClasses } from "./held-classes.ts";
import type { ClassState } from "./state.ts";
import type { StatusStore } from "./status-store.ts";

interface FactSources {
  readonly settings: WorkerSettings;
  readonly clock: Clock;
  readonly classes: Pick<HeldClasses, "get">;
  readonly states: ClassStates;
  readonly secrets: SecretStore;
  readonly statuses: StatusStore;
}

/** What metrics tell of classes, from what is there now. */
export function classFacts(sources: FactSources): ClassFacts {
  const { clock, states, secrets, statuses } = sources;
  const checked = (): readonly CheckedClass[] => states.list().flatMap(([key, state]) => checkedClass(sources, key, state) ?? []);
  return {
    countByReason: () => countByReason(statuses.list().map(({ status }) => status)),
    checkAges: () => checkAges(checked(), clock.now()),
    expiries: () => firstExpiries(statuses.list()),
    managedSecrets: () => secrets.size,
  };
}

/** Undefined for a class that is not checked: gone, switched off, of another provider, unused, or checked only when it changes. */
function checkedClass({ classes, settings }: FactSources, key: string, state: ClassState): CheckedClass | undefined {
  const provider = classes.get(refOfKey(key));
  const isFailing = state.failures > 0;
  if (provider === undefined || state.isIdle || !settings.syncSecret) return undefined;
  if (syncMode(provider, settings.syncMode) === "never" || secretObjectsOf(provider).length === 0) return undefined;
  if (!settings.enableSecretRotation && !isFailing) return undefined;
  const { lastSuccess, knownSince } = state;
  return { key, lastSuccess, knownSince, isFailing, interval: pollInterval(provider, settings.rotationPollInterval) };
}
