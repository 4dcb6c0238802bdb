import { Registry } from "prom-client";
import { countByReason, countExpiring } from "../../src/domain/sync/class-figures.ts";
import { blockedSeconds } from "../../src/runtime/event-loop.ts";
import { createGatewayMetrics } from "../../src/sync/gateways/gateway-metrics.ts";
import { createComponentMetrics } from "../../src/sync/healing/component-metrics.ts";
import { createSyncMetrics } from "../../src/sync/metrics.ts";
import { createPushMetrics } from "../../src/sync/push/push-metrics.ts";
import { createRolloutMetrics } from "../../src/sync/rollouts/rollout-metrics.ts";
import { createVaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { createAdmissionMetrics } from "../../src/webhook/metrics.ts";
import { createPreflightMetrics } from "../../src/webhook/preflight-metrics.ts";
import { readRepositoryFile } from "../repository-files.ts";

export interface RegisteredMetric {
  readonly name: string;
  readonly type: string;
  /** Label names, with their values where those are a closed set. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string> | undefined>;
}

const VAULT = "vault-1.vault.azure.net";
const OPEN = ["vault", "namespace", "class", "object", "component", "queue", "le"];

/** Every metric of ours, as a process with one class, one vault and one object reports it. */
export async function registeredMetrics(): Promise<readonly RegisteredMetric[]> {
  const registry = new Registry();
  const sync = createSyncMetrics(registry);
  sync.observeClasses({
    countByReason: () => countByReason([]),
    checkAges: () => ({ overdue: 1, oldestSeconds: 1, longest: [{ namespace: "n", className: "c", seconds: 1 }] }),
    expiring: () => countExpiring([], 0),
    expiries: () => [{ namespace: "n", className: "c", object: "secret/o", expires: 0 }],
    managedSecrets: () => 1,
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
  const all = await registry.getMetricsAsJSON();
  return [
    ...all.map(({ name, type, values }) => ({ name, type: String(type), labels: labelsOf(values.map(({ labels }) => labels)) })),
    ...composed(),
  ];
}

function labelsOf(series: readonly Readonly<Partial<Record<string, string | number>>>[]): RegisteredMetric["labels"] {
  const labels = new Map<string, Set<string> | undefined>();
  for (const [name, value] of series.flatMap((own) => Object.entries(own))) {
    if (OPEN.includes(name)) labels.set(name, undefined);
    else labels.set(name, new Set([...(labels.get(name) ?? []), String(value)]));
  }
  return labels;
}

/** Those that a composition registers by their full name, read as text: to run it would take a cluster. */
function composed(): readonly RegisteredMetric[] {
  const text = readRepositoryFile("src/webhook/compose.ts");
  const found = text.matchAll(/new (Counter|Gauge|Histogram)\(\{\s*name: "(keyvault_injector_\w+)"/g);
  const certificates = new Set([...text.matchAll(/gauge\.set\(\{ certificate: "(\w+)" \}/g)].map(([, value = ""]) => value));
  return [...found].map(([, type = "", name = ""]) => ({
    name,
    type: type.toLowerCase(),
    labels: new Map([["certificate", certificates]]),
  }));
}
