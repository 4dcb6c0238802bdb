import { Counter, Gauge, type Registry } from "prom-client";
import { METRIC_PREFIX } from "../../runtime/metrics.ts";

export interface ComponentMetrics {
  /** Components applied again, by damage. */
  readonly healed: Counter<"damage">;
  /** 1 while something of the install is damaged and stays so. */
  readonly damaged: Gauge<"component">;
  /** 1 while an uninstall is prepared, or the Namespace is going, and nothing is healed. */
  readonly isUninstalling: Gauge;
}

export function createComponentMetrics(registry: Registry): ComponentMetrics {
  const registers = [registry];
  const healed = new Counter({
    name: `${METRIC_PREFIX}components_healed_total`,
    help: "Components of the install applied again after somebody else had changed them, by damage.",
    labelNames: ["damage"],
    registers,
  });
  for (const damage of ["edited", "deleted"]) healed.inc({ damage }, 0);
  return {
    healed,
    damaged: new Gauge({
      name: `${METRIC_PREFIX}component_damaged`,
      help: "1 while a part of the install is damaged and is not healed.",
      labelNames: ["component"],
      registers,
    }),
    isUninstalling: new Gauge({
      name: `${METRIC_PREFIX}uninstalling`,
      help: "1 while the install is being removed and nothing is healed.",
      registers,
    }),
  };
}
