import { collectDefaultMetrics, Registry } from "prom-client";

/** Every metric of ours starts with this. */
export const METRIC_PREFIX = "keyvault_injector_";

/** A registry of the process's own; nothing is registered globally, so that tests can run several side by side. */
export function createRegistry(version: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ version });
  collectDefaultMetrics({ register: registry });
  return registry;
}
