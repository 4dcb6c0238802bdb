import { Counter, type Registry } from "prom-client";
import { PREFLIGHT_WARNINGS, type PreflightReason } from "../domain/preflight/warning.ts";

export type PreflightResource = "workload" | "class";
export type PreflightOutcome = "clean" | "warned" | "errored";

const RESOURCES: readonly PreflightResource[] = ["workload", "class"];
const OUTCOMES: readonly PreflightOutcome[] = ["clean", "warned", "errored"];

export interface PreflightMetrics {
  /** One review: what it was about, how it ended, and each reason to warn once. */
  count(resource: PreflightResource, outcome: PreflightOutcome, reasons: readonly PreflightReason[]): void;
}

/** Every series exists from the start. */
export function createPreflightMetrics(registry: Registry): PreflightMetrics {
  const registers = [registry];
  const reviews = new Counter({
    name: "keyvault_injector_preflight_reviews_total",
    help: "Preflight reviews answered, by what they are about and whether anything was wrong.",
    labelNames: ["resource", "outcome"],
    registers,
  });
  const warnings = new Counter({
    name: "keyvault_injector_preflight_warnings_total",
    help: "Preflight reviews in which a reason to warn came up.",
    labelNames: ["warning"],
    registers,
  });
  for (const resource of RESOURCES) for (const outcome of OUTCOMES) reviews.inc({ resource, outcome }, 0);
  for (const warning of PREFLIGHT_WARNINGS) warnings.inc({ warning }, 0);
  return {
    count: (resource, outcome, reasons) => {
      reviews.inc({ resource, outcome });
      for (const warning of reasons) warnings.inc({ warning });
    },
  };
}
