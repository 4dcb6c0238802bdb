import { Registry } from "prom-client";
import type { EventQueue, QueueMessage } from "../../../src/domain/ports/event-queue.ts";
import { createPush } from "../../../src/sync/push/push.ts";
import { createPushMetrics } from "../../../src/sync/push/push-metrics.ts";
import type { SimulatedWorld } from "./world.ts";

export interface SentEvent {
  /** Name of a vault object. */
  readonly name: string;
  readonly version: string;
  readonly type?: "SecretNewVersionCreated" | "SecretNearExpiry" | "SecretExpired" | "KeyNewVersionCreated";
  /** Unix milliseconds. Default: now. */
  readonly at?: number;
}

/** An event queue of a simulated world. A worker that leads with `push` reads it. */
export class EventsOf {
  readonly #world: SimulatedWorld;
  readonly #metrics = createPushMetrics(new Registry());
  readonly #messages: QueueMessage[] = [];
  readonly push: ReturnType<typeof createPush>;
  sent = 0;
  deleted = 0;

  constructor(world: SimulatedWorld) {
    this.#world = world;
    const queue: EventQueue = {
      receive: async ({ most }) => this.#messages.splice(0, most),
      delete: async () => {
        this.deleted += 1;
        return true;
      },
      peek: async () => [],
    };
    const identity = { kind: "managed", clientId: undefined } as const;
    const setting = { url: "https://events.queue.core.windows.net/vaults", identity, authorityHost: "", scope: "", isCustomCloud: false };
    this.push = createPush({
      settings: [setting],
      queues: { open: () => queue },
      kube: world.cluster.client,
      namespace: "keyvault-injector",
      metrics: this.#metrics,
      clock: world.clock,
      logger: world.logger,
      random: () => 0.5,
    });
  }

  send({ name, version, type = "SecretNewVersionCreated", at = this.#world.clock.now() }: SentEvent): void {
    this.sent += 1;
    const id = String(this.sent);
    const collection = type.startsWith("Key") ? "keys" : "secrets";
    const data = { Id: `https://vault-1.vault.azure.net/${collection}/${name}/${version}` };
    const text = JSON.stringify({ eventType: `Microsoft.KeyVault.${type}`, eventTime: new Date(at).toISOString(), data });
    this.#messages.push({ id, receipt: id, receipts: 1, text });
  }

  /** Number of hints with this outcome. */
  async ended(outcome: "applied" | "looked" | "leftToPoll"): Promise<number> {
    return (await this.#metrics.hints.get()).values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
  }
}
