/**
 * The admissions enforcer of a platform. It adds terms to the selectors of every webhook that exclude the platform's own namespaces,
 * whenever they are missing. https://learn.microsoft.com/azure/aks/faq
 */
import type { Random } from "../time/random.ts";
import type { Scheduler } from "../time/scheduler.ts";
import type { Cluster } from "./cluster.ts";

export const ENFORCER = "admissionsenforcer";
export const CONFIGURATIONS = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
const PATH = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

const TERMS = [
  { key: "control-plane", operator: "DoesNotExist" },
  { key: "kubernetes.azure.com/managedby", operator: "NotIn", values: ["aks"] },
];

interface Webhook {
  readonly name: string;
  readonly namespaceSelector?: { readonly matchExpressions?: readonly { readonly key: string }[] };
}

interface Configuration {
  readonly metadata: { readonly name: string };
  readonly webhooks?: readonly Webhook[];
}

function isEnforced({ namespaceSelector }: Webhook): boolean {
  const keys = (namespaceSelector?.matchExpressions ?? []).map(({ key }) => key);
  return TERMS.every(({ key }) => keys.includes(key));
}

function enforced(webhook: Webhook): Webhook {
  if (isEnforced(webhook)) return webhook;
  const { namespaceSelector = {} } = webhook;
  const others = (namespaceSelector.matchExpressions ?? []).filter(({ key }) => !TERMS.some((term) => term.key === key));
  return { ...webhook, namespaceSelector: { ...namespaceSelector, matchExpressions: [...others, ...TERMS] } };
}

export class Enforcer {
  readonly #cluster: Cluster;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  #isDue = false;

  constructor(options: { readonly cluster: Cluster; readonly scheduler: Scheduler; readonly random: Random }) {
    this.#cluster = options.cluster;
    this.#scheduler = options.scheduler;
    this.#random = options.random;
  }

  /** Returns the names of the webhooks that lack its terms. */
  missing(): readonly string[] {
    return this.#all().flatMap(({ webhooks = [] }) => webhooks.filter((webhook) => !isEnforced(webhook)).map(({ name }) => name));
  }

  /** Call this when a configuration was written. */
  note(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#scheduler.schedule(this.#random.delay(2_000), () => {
      this.#isDue = false;
      this.#enforce();
    });
  }

  #all(): readonly Configuration[] {
    return this.#cluster.server.objects(CONFIGURATIONS) as unknown as readonly Configuration[];
  }

  #enforce(): void {
    for (const configuration of this.#all()) {
      const { webhooks = [], metadata } = configuration;
      if (webhooks.every(isEnforced)) continue;
      const body = { ...configuration, webhooks: webhooks.map(enforced) };
      this.#cluster.request("PUT", `${PATH}/${metadata.name}?fieldManager=${ENFORCER}`, body, { user: ENFORCER });
    }
  }
}
