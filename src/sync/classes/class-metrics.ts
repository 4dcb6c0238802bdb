import { Gauge, type Registry } from "prom-client";
import type { SyncReason } from "../../domain/reasons.ts";
import type { CheckAges } from "../../domain/sync/check-age.ts";
import type { ObjectExpiry } from "../../domain/sync/object-expiry.ts";
import { METRIC_PREFIX } from "../../runtime/metrics.ts";

/** Where the gauges get their values from, at every scrape: what is gone is not reported any more. */
export interface ClassFacts {
  countByReason(): ReadonlyMap<SyncReason, number>;
  checkAges(): CheckAges;
  expiries(): readonly ObjectExpiry[];
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
  gauge({ suffix: "secrets_managed", help: "Secrets that the worker keeps." }, (known, own) => own.set(known.managedSecrets()));
  return (known) => {
    facts = known;
  };
}
