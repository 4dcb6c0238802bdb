import type { Gauge, Registry } from "prom-client";
import { refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import { pollInterval } from "../../domain/schedule/class-annotations.ts";
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
import { switchedOffBy } from "../../domain/sync/switched-off.ts";
import { metricsIn } from "../../runtime/metrics.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import type { WorkerSettings } from "../worker-settings.ts";
import type { ClassStates } from "./class-states.ts";
import type { HeldClasses } from "./held-classes.ts";
import type { ClassState } from "./state.ts";
import type { StatusStore } from "./status-store.ts";

/** Source of the gauges' values, read at every scrape, so that metrics do not report what no longer exists. */
export interface ClassFacts {
  countByReason(): ReadonlyMap<SyncReason, number>;
  checkAges(): CheckAges;
  expiries(): readonly ObjectExpiry[];
  expiring(): ReadonlyMap<ExpiryBound, number>;
  /** Number of Secrets that carry the worker's label. */
  managedSecrets(): number;
  /** Number of these Secrets that the worker holds only in part. */
  secretsWithoutRoom(): number;
}

/** Call the returned function when the worker starts. */
export function createClassMetrics(registry: Registry): (facts: ClassFacts) => void {
  let facts: ClassFacts | undefined;
  const { observed } = metricsIn(registry);
  const gauge = <L extends string = never>(
    suffix: string,
    help: string,
    collect: (known: ClassFacts, own: Gauge<L>) => void,
    labelNames: readonly L[] = [],
  ): void =>
    observed(
      suffix,
      help,
      (own) => {
        if (facts !== undefined) collect(facts, own);
      },
      labelNames,
    );
  gauge(
    "classes",
    "Synced classes, by the reason in their conditions.",
    (known, own) => {
      for (const [reason, count] of known.countByReason()) own.set({ reason }, count);
    },
    ["reason"],
  );
  gauge("classes_overdue", "Classes without a successful check for longer than two of their poll intervals.", (known, own) =>
    own.set(known.checkAges().overdue),
  );
  gauge("check_age_max_seconds", "Age of the oldest successful check among all classes.", (known, own) =>
    own.set(known.checkAges().oldestSeconds),
  );
  gauge(
    "class_seconds_since_success",
    "Time since the last successful check of an overdue class, for the classes that have waited longest.",
    (known, own) => {
      for (const { namespace, className, seconds } of known.checkAges().longest) own.set({ namespace, class: className }, seconds);
    },
    ["namespace", "class"],
  );
  gauge(
    "object_expiry_seconds",
    "When synced objects expire, in seconds since the epoch, for those that expire first.",
    (known, own) => {
      for (const { namespace, className, object, expires } of known.expiries())
        own.set({ namespace, class: className, object }, expires / 1_000);
    },
    ["namespace", "class", "object"],
  );
  gauge(
    "objects_expiring",
    "Synced objects of all classes that have expired, or will expire within the time.",
    (known, own) => {
      for (const [within, count] of known.expiring()) own.set({ within }, count);
    },
    ["within"],
  );
  gauge("secrets_managed", "Secrets that the worker keeps.", (known, own) => own.set(known.managedSecrets()));
  gauge("secrets_without_room", "Secrets for whose labels, annotations, and keys the worker has no room.", (known, own) =>
    own.set(known.secretsWithoutRoom()),
  );
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

/** Returns the facts for the metrics. Each call reads the current state. */
export function classFacts(sources: FactSources): ClassFacts {
  const { clock, states, secrets, statuses } = sources;
  const checked = (): readonly CheckedClass[] => states.list().flatMap(([key, state]) => checkedClass(sources, key, state) ?? []);
  return {
    countByReason: () => countByReason(statuses.list().map(({ status }) => status)),
    checkAges: () => checkAges(checked(), clock.now()),
    expiries: () => firstExpiries(statuses.list()),
    expiring: () => countExpiring(statuses.list(), clock.now()),
    managedSecrets: () => secrets.size,
    secretsWithoutRoom: () => secrets.withoutRoom,
  };
}

/**
 * Returns undefined for a class that the worker does not check: missing, switched off, of another provider, unused, or checked only when it
 * changes.
 */
function checkedClass({ classes, settings, statuses }: FactSources, key: string, state: ClassState): CheckedClass | undefined {
  const provider = classes.get(refOfKey(key));
  const isFailing = state.failures > 0;
  if (provider === undefined || state.isIdle || switchedOffBy(provider, settings) !== undefined) return undefined;
  const isFollowed = secretObjectsOf(provider).length > 0 || statuses.get(refOfKey(key))?.objects !== undefined;
  if (!isFollowed) return undefined;
  if (!settings.enableSecretRotation && !isFailing) return undefined;
  const { lastSuccess, knownSince } = state;
  return { key, lastSuccess, knownSince, isFailing, interval: pollInterval(provider, settings.rotationPollInterval) };
}
