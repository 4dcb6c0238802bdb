import type { Registry } from "prom-client";
import { metricsIn } from "../../runtime/metrics.ts";

export type ComponentMetrics = ReturnType<typeof createComponentMetrics>;

export function createComponentMetrics(registry: Registry) {
  const { counter, gauge } = metricsIn(registry);
  return {
    healed: counter(
      "components_healed_total",
      "Components of the install that the worker restored after someone else changed them, by damage.",
      {
        damage: ["edited", "deleted"],
      },
    ),
    damaged: gauge("component_damaged", "1 while a part of the install is damaged and is not healed.", ["component"]),
    isUninstalling: gauge("uninstalling", "1 while the install is being removed and nothing is healed."),
  };
}
