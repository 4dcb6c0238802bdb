import type { Registry } from "prom-client";
import type { AdmissionDecision } from "../domain/admission/decision.ts";
import { ADMISSION_REASONS } from "../domain/admission/reasons.ts";
import { metricsIn } from "../runtime/metrics.ts";
import type { ClassLookupResult } from "./live-lookup.ts";

/** A decision takes about a millisecond, or up to half a second with a live read. The API server gives up after seconds. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const LOOKUP_RESULTS: readonly ClassLookupResult[] = ["cached", "read", "missing", "unknown"];

export interface AdmissionMetrics {
  /** Call this at the start. The returned function ends the measurement and returns its length in seconds. */
  start(): (decision: Pick<AdmissionDecision, "kind" | "reason">) => number;
  countLookup(result: ClassLookupResult): void;
  countNamespaceLookup(result: ClassLookupResult): void;
}

export function createAdmissionMetrics(registry: Registry): AdmissionMetrics {
  const { counter, gauge, histogram } = metricsIn(registry);
  const requests = counter("admission_requests_total", "Admission reviews answered, by outcome and reason.", { outcome: [], reason: [] });
  const duration = histogram(
    "admission_duration_seconds",
    "Time from a review's request headers to its answer, by outcome.",
    DURATION_BUCKETS,
    { outcome: Object.keys(ADMISSION_REASONS) },
  );
  const inFlight = gauge("admission_in_flight", "Admission reviews being answered.");
  const lookups = counter(
    "admission_class_lookups_total",
    "SecretProviderClasses looked up for a review: cached, read (live), missing, unknown (could not be read).",
    { result: LOOKUP_RESULTS },
  );
  const namespaceLookups = counter(
    "admission_namespace_lookups_total",
    "Namespaces looked up for their defaults: cached, read (live), missing, unknown (could not be read).",
    { result: LOOKUP_RESULTS },
  );
  for (const [outcome, reasons] of Object.entries(ADMISSION_REASONS)) for (const reason of reasons) requests.inc({ outcome, reason }, 0);
  return {
    start: () => {
      inFlight.inc();
      const stop = duration.startTimer();
      return ({ kind, reason }) => {
        inFlight.dec();
        requests.inc({ outcome: kind, reason });
        return stop({ outcome: kind });
      };
    },
    countLookup: (result) => lookups.inc({ result }),
    countNamespaceLookup: (result) => namespaceLookups.inc({ result }),
  };
}

/** `expiry` returns the end of each certificate in Unix milliseconds; undefined while there is none. */
export function exportExpiry(registry: Registry, expiry: () => Readonly<Record<string, number | undefined>>): void {
  metricsIn(registry).observed(
    "certificate_not_after_seconds",
    "End of validity, in seconds since the epoch, of the served certificate (leaf) and of its CA (authority).",
    (own) => {
      for (const [certificate, end] of Object.entries(expiry())) if (end !== undefined) own.set({ certificate }, end / 1_000);
    },
    ["certificate"],
  );
}
