import { Gauge, type Registry } from "prom-client";
import { refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import { pollInterval, syncMode } from "../../domain/schedule/class-annotations.ts";
import {
  type CheckAges,
  type CheckedClass,
  checkAges,
  countByReason,
  countExpiring,
  type ExpiryBound,
  firstExpiries,
  type ObjectExpiry,
} from "../../domain/sync/class-figures.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { METRIC_PREFIX } from "../../runtime/metrics.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import type { WorkerSettings } from "../worker-settings.ts";
import type { ClassStates } from "./class-states.ts";
import type { HeldClasses } from "./held-classes.ts";
import type { ClassState } from "./state.ts";
import type { StatusStore } from "./status-store.ts";

/** Where the gauges get their values from, at every scrape: what is gone is not reported any more. */
export interface ClassFacts {
  countByReason(): ReadonlyMap<SyncReason, number>;
  checkAges(): CheckAges;
  expiries(): readonly ObjectExpiry[];
  expiring(): ReadonlyMap<ExpiryBound, number>;
  /** Secrets that carry our label. */
  managedSecrets(): number;
}

/** Call the result when the worker begins. */
export function createClassMetrics(registry: Registry): (facts: ClassFacts) => void {
  let facts: ClassFacts | undefined;
  const gauge = <L extends string>(
    { suffix, help, labelNames = [] }: { readonly suffix: string; readonly help: string; readonly labelNames?: readonly L[] },
    collect: (known: ClassFacts, own: Gauge<L>) => void,
  ): void => {
    const own: Gauge<L> = new Gauge({
      name: `${METRIC_PREFIX}${suffix}`,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      collect: () => {
        if (labelNames.length > 0) own.reset();
        if (facts !== undefined) collect(facts, own);
      },
    });
  };
  gauge({ suffix: "classes", help: "Mirrored classes, by the reason that their conditions say.", labelNames: ["reason"] }, (known, own) => {
    for (const [reason, count] of known.countByReason()) own.set({ reason }, count);
  });
  gauge({ suffix: "classes_overdue", help: "Classes without a successful check for longer than two of their intervals." }, (known, own) =>
    own.set(known.checkAges().overdue),
  );
  gauge({ suffix: "check_age_max_seconds", help: "Age of the oldest successful check among all classes." }, (known, own) =>
    own.set(known.checkAges().oldestSeconds),
  );
  gauge(
    {
      suffix: "class_seconds_since_success",
      help: "Time since the last successful check of a class that is overdue; of those that have waited longest.",
      labelNames: ["namespace", "class"],
    },
    (known, own) => {
      for (const { namespace, className, seconds } of known.checkAges().longest) own.set({ namespace, class: className }, seconds);
    },
  );
  gauge(
    {
      suffix: "object_expiry_seconds",
      help: "When mirrored objects expire, seconds since the epoch; of those that expire first.",
      labelNames: ["namespace", "class", "object"],
    },
    (known, own) => {
      for (const { namespace, className, object, expires } of known.expiries())
        own.set({ namespace, class: className, object }, expires / 1_000);
    },
  );
  gauge(
    {
      suffix: "objects_expiring",
      help: "Mirrored objects of all classes that have expired, or will within the time.",
      labelNames: ["within"],
    },
    (known, own) => {
      for (const [within, count] of known.expiring()) own.set({ within }, count);
    },
  );
  gauge({ suffix: "secrets_managed", help: "Secrets that the worker keeps." }, (known, own) => own.set(known.managedSecrets()));
  return (known) => {
    facts = known;
  };
}

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
    expiring: () => countExpiring(statuses.list(), clock.now()),
    managedSecrets: () => secrets.size,
  };
}

/** Undefined for a class that is not checked: gone, switched off, of another provider, unused, or checked only when it changes. */
function checkedClass({ classes, settings, statuses }: FactSources, key: string, state: ClassState): CheckedClass | undefined {
  const provider = classes.get(refOfKey(key));
  const isFailing = state.failures > 0;
  if (provider === undefined || state.isIdle || !settings.syncSecret) return undefined;
  const isFollowed = secretObjectsOf(provider).length > 0 || statuses.get(refOfKey(key))?.objects !== undefined;
  if (syncMode(provider, settings.syncMode) === "never" || !isFollowed) return undefined;
  if (!settings.enableSecretRotation && !isFailing) return undefined;
  const { lastSuccess, knownSince } = state;
  return { key, lastSuccess, knownSince, isFailing, interval: pollInterval(provider, settings.rotationPollInterval) };
}
