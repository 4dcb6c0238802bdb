import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { AdmissionDecision } from "../domain/admission/decision.ts";
import { ADMISSION_REASONS } from "../domain/admission/reasons.ts";
import type { LookupResult } from "./live-lookup.ts";

/** A decision takes about a millisecond, with a live read up to half a second; the API server gives up after seconds. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const LOOKUP_RESULTS: readonly LookupResult[] = ["cached", "read", "missing", "unknown"];

export interface AdmissionMetrics {
  /** Call at the start; the returned function ends the measurement and tells its length in seconds. */
  start(): (decision: Pick<AdmissionDecision, "kind" | "reason">) => number;
  countLookup(result: LookupResult): void;
  countNamespaceLookup(result: LookupResult): void;
}

/** Every series exists from the start, so that a rate over the first denial is right. */
export function createAdmissionMetrics(registry: Registry): AdmissionMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: "keyvault_injector_admission_requests_total",
    help: "Admission reviews answered, by outcome and reason.",
    labelNames: ["outcome", "reason"],
    registers,
  });
  const duration = new Histogram({
    name: "keyvault_injector_admission_duration_seconds",
    help: "Time from a review's request headers to its answer, by outcome.",
    labelNames: ["outcome"],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const inFlight = new Gauge({ name: "keyvault_injector_admission_in_flight", help: "Admission reviews being answered.", registers });
  const lookups = new Counter({
    name: "keyvault_injector_admission_class_lookups_total",
    help: "SecretProviderClasses looked up for a review: cached, read (live), missing, unknown (could not be read).",
    labelNames: ["result"],
    registers,
  });
  const namespaceLookups = new Counter({
    name: "keyvault_injector_admission_namespace_lookups_total",
    help: "Namespaces looked up for their defaults: cached, read (live), missing, unknown (could not be read).",
    labelNames: ["result"],
    registers,
  });
  for (const [outcome, reasons] of Object.entries(ADMISSION_REASONS)) {
    duration.zero({ outcome });
    for (const reason of reasons) requests.inc({ outcome, reason }, 0);
  }
  for (const result of LOOKUP_RESULTS) {
    lookups.inc({ result }, 0);
    namespaceLookups.inc({ result }, 0);
  }
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
