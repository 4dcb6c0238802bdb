import { Registry } from "prom-client";
import { countByReason, countExpiring } from "../../src/domain/sync/class-figures.ts";
import { blockedSeconds } from "../../src/runtime/event-loop.ts";
import { createGatewayMetrics } from "../../src/sync/gateways/gateway-metrics.ts";
import { GUARDRAILS } from "../../src/sync/guardrails.ts";
import { createComponentMetrics } from "../../src/sync/healing/component-metrics.ts";
import { createSyncMetrics } from "../../src/sync/metrics.ts";
import { createPushMetrics } from "../../src/sync/push/push-metrics.ts";
import { createRolloutMetrics } from "../../src/sync/rollouts/rollout-metrics.ts";
import { createVaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { createAdmissionMetrics, exportExpiry } from "../../src/webhook/metrics.ts";
import { createPreflightMetrics } from "../../src/webhook/preflight-metrics.ts";

export interface RegisteredMetric {
  readonly name: string;
  readonly type: string;
  /** Label names, with their values if the set of values is closed. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string> | undefined>;
}

const VAULT = "vault-1.vault.azure.net";
const OPEN = ["vault", "namespace", "class", "object", "component", "queue", "le"];

/** All our metrics, as a process with one class, one vault and one object reports them. */
export async function registeredMetrics(): Promise<readonly RegisteredMetric[]> {
  const registry = new Registry();
  const sync = createSyncMetrics(registry);
  for (const policy of GUARDRAILS) sync.guardrailsMissing.set({ policy }, 0);
  sync.observeClasses({
    countByReason: () => countByReason([]),
    checkAges: () => ({ overdue: 1, oldestSeconds: 1, longest: [{ namespace: "n", className: "c", seconds: 1 }] }),
    expiring: () => countExpiring([], 0),
    expiries: () => [{ namespace: "n", className: "c", object: "secret/o", expires: 0 }],
    managedSecrets: () => 1,
    secretsWithoutRoom: () => 0,
  });
  const { vaults, rate, isBreakerOpen } = createVaultMetrics(registry);
  const vault = vaults.labelOf(`https://${VAULT}`);
  rate.set({ vault }, 300);
  isBreakerOpen.set({ vault }, 0);
  createRolloutMetrics(registry);
  createGatewayMetrics(registry);
  const { isUp, lastAnswer } = createPushMetrics(registry);
  for (const byQueue of [isUp, lastAnswer]) byQueue.set({ queue: "account.queue.core.windows.net/events" }, 1);
  createComponentMetrics(registry).damaged.set({ component: "Service keyvault-injector/keyvault-injector-webhook" }, 1);
  blockedSeconds(registry);
  createAdmissionMetrics(registry);
  createPreflightMetrics(registry);
  exportExpiry(registry, () => ({ leaf: 0, authority: 0 }));
  const all = await registry.getMetricsAsJSON();
  return all.map(({ name, type, values }) => ({ name, type: String(type), labels: labelsOf(values.map(({ labels }) => labels)) }));
}

function labelsOf(series: readonly Readonly<Partial<Record<string, string | number>>>[]): RegisteredMetric["labels"] {
  const labels = new Map<string, Set<string> | undefined>();
  for (const [name, value] of series.flatMap((own) => Object.entries(own))) {
    if (OPEN.includes(name)) labels.set(name, undefined);
    else labels.set(name, new Set([...(labels.get(name) ?? []), String(value)]));
  }
  return labels;
}
