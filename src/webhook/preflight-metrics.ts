import type { Registry } from "prom-client";
import { PREFLIGHT_WARNINGS, type PreflightReason } from "../domain/preflight/warning.ts";
import { metricsIn } from "../runtime/metrics.ts";

const RESOURCES = ["workload", "class"] as const;
const OUTCOMES = ["clean", "warned", "errored"] as const;
export type PreflightResource = (typeof RESOURCES)[number];

export type PreflightMetrics = ReturnType<typeof createPreflightMetrics>;

export function createPreflightMetrics(registry: Registry) {
  const { counter } = metricsIn(registry);
  const reviews = counter("preflight_reviews_total", "Preflight reviews answered, by what they are about and whether anything was wrong.", {
    resource: RESOURCES,
    outcome: OUTCOMES,
  });
  const warnings = counter("preflight_warnings_total", "Preflight reviews in which a reason to warn came up.", {
    warning: PREFLIGHT_WARNINGS,
  });
  return {
    /** Counts one review with its resource, its outcome, and each reason to warn once. */
    count: (resource: PreflightResource, outcome: (typeof OUTCOMES)[number], reasons: readonly PreflightReason[]): void => {
      reviews.inc({ resource, outcome });
      for (const warning of reasons) warnings.inc({ warning });
    },
  };
}
