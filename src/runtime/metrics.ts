import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

const METRIC_PREFIX = "keyvault_injector_";

/** Creates a registry of the process's own. Nothing is registered globally, so that tests can run several side by side. */
export function createRegistry(version: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ version });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Values of each label. An empty list means any value: none is known in advance. */
type Labels<L extends string> = Readonly<Record<L, readonly string[]>>;

/**
 * Creates the metrics of a registry. Every known label value exists from the first scrape on, so that rates and alerts work before the
 * first event.
 */
export function metricsIn(registry: Registry) {
  const of = (suffix: string, help: string) => ({ name: `${METRIC_PREFIX}${suffix}`, help, registers: [registry] });
  return {
    /** `collect` is called before each scrape. */
    counter: <L extends string = never>(
      suffix: string,
      help: string,
      labels = {} as Labels<L>,
      collect?: (own: Counter<L>) => void,
    ): Counter<L> => {
      const made: Counter<L> = new Counter<L>({
        ...of(suffix, help),
        labelNames: namesOf(labels),
        ...(collect === undefined ? {} : { collect: () => collect(made) }),
      });
      for (const each of combinations(labels)) made.inc(each, 0);
      return made;
    },
    gauge: <L extends string = never>(suffix: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
      new Gauge<L>({ ...of(suffix, help), labelNames: [...labelNames] }),
    histogram: <L extends string = never>(
      suffix: string,
      help: string,
      buckets: readonly number[],
      labels = {} as Labels<L>,
    ): Histogram<L> => {
      const made = new Histogram<L>({ ...of(suffix, help), buckets: [...buckets], labelNames: namesOf(labels) });
      for (const each of combinations(labels)) made.zero(each);
      return made;
    },
    /** A gauge that collects its values at each scrape, so that values that no longer exist are not reported. */
    observed: <L extends string = never>(
      suffix: string,
      help: string,
      collect: (own: Gauge<L>) => void,
      labelNames: readonly L[] = [],
    ): void => {
      const own: Gauge<L> = new Gauge<L>({
        ...of(suffix, help),
        labelNames: [...labelNames],
        collect: () => {
          if (labelNames.length > 0) own.reset();
          collect(own);
        },
      });
    },
  };
}

function namesOf<L extends string>(labels: Labels<L>): L[] {
  return Object.keys(labels) as L[]; // These are the record's own keys.
}

function combinations<L extends string>(labels: Labels<L>): readonly Record<L, string>[] {
  const names = namesOf(labels);
  if (names.length === 0) return [];
  return names.reduce<Record<L, string>[]>(
    (all, name) => all.flatMap((each) => labels[name].map((value) => ({ ...each, [name]: value }))),
    [{} as Record<L, string>],
  );
}
