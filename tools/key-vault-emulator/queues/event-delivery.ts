import { setTimeout as delay } from "node:timers/promises";
import type { Directory, ServicePrincipal } from "../entra/directory.ts";
import type { TokenIssuer } from "../entra/token-issuer.ts";
import { CLOUDS } from "../network/clouds.ts";
import type { Vault } from "../vault/vault-store.ts";
import { type EventSchema, eventOf, type NewVersion, type VaultFacts } from "./event-form.ts";
import { EventLog } from "./event-log.ts";
import type { StorageAccounts } from "./storage-accounts.ts";

export interface EventSubscription {
  /** Name of the vault. */
  readonly vault: string;
  /** Name of the storage account that has the queue. */
  readonly account: string;
  readonly queue: string;
  readonly schema: EventSchema;
  /** Milliseconds between the new version and its delivery. Event Grid also has a delay. */
  readonly delayMs: number;
}

/** Milliseconds between attempts, at most for two minutes. Event Grid itself retries for a day, at growing intervals. */
const RETRY_MS = 500;
const MOST_TRIES = 240;

interface DeliveryOptions {
  readonly accounts: StorageAccounts;
  readonly tokens: TokenIssuer;
  readonly directory: Directory;
}

/** Delivers events from vaults to queues, like Event Grid. */
export class EventDelivery {
  readonly log = new EventLog();
  readonly #options: DeliveryOptions;
  readonly #senders = new Map<string, ServicePrincipal>();
  #subscriptions: readonly EventSubscription[] = [];
  readonly #stopped = new AbortController();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  subscribe(subscription: EventSubscription): void {
    this.#subscriptions = [...this.#subscriptions, subscription];
  }

  /** Stops the delivery of later events. */
  unsubscribe(vault: string): void {
    this.#subscriptions = this.#subscriptions.filter((one) => one.vault !== vault.toLowerCase());
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Call this when a vault has a new version of an object. */
  announce(vault: VaultFacts, version: NewVersion): void {
    const delivered = this.log.add({ vault: vault.name, name: version.name, version: version.version });
    for (const subscription of this.#subscriptions.filter((one) => one.vault === vault.name)) {
      // No caller waits for the delivery. If it fails, the event is dropped, as in Event Grid.
      this.#deliver(vault, subscription, JSON.stringify(eventOf(vault, version, subscription.schema))).then(
        (isDelivered) => isDelivered && delivered(subscription),
        () => undefined,
      );
    }
  }

  async #deliver(vault: VaultFacts, { account, queue, delayMs }: EventSubscription, event: string): Promise<boolean> {
    const { signal } = this.#stopped;
    if (delayMs > 0) await delay(delayMs, undefined, { signal, ref: false });
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      if (await this.#isDelivered(vault, { account, queue }, event)) return true;
      await delay(RETRY_MS, undefined, { signal, ref: false });
    }
    return false;
  }

  async #isDelivered(vault: VaultFacts, { account, queue }: Pick<EventSubscription, "account" | "queue">, event: string): Promise<boolean> {
    const { accounts, tokens } = this.#options;
    const found = accounts.find(account);
    const cloud = CLOUDS[vault.cloud];
    if (found === undefined) return false;
    const message = `<QueueMessage><MessageText>${Buffer.from(event).toString("base64")}</MessageText></QueueMessage>`;
    const token = tokens.issue({ principal: this.#sender(vault), cloud, audience: cloud.storageResource });
    const exchange = {
      method: "POST",
      host: `${account}.${cloud.queueSuffix}`,
      path: `/${queue}/messages`,
      segments: [queue, "messages"],
      query: new URLSearchParams(),
      headers: {
        host: `${account}.${cloud.queueSuffix}`,
        authorization: `Bearer ${token}`,
        "content-type": "application/xml",
        "content-length": String(Buffer.byteLength(message)),
        "x-ms-version": "2025-11-05",
        "x-ms-date": new Date().toUTCString(),
      },
      body: message,
    };
    try {
      return (await accounts.forward(found, exchange)).status === 201;
    } catch {
      return false;
    }
  }

  /** Identity of Event Grid in the vault's tenant. */
  #sender({ cloud, tenantId }: Pick<Vault, "cloud" | "tenantId">): ServicePrincipal {
    const key = `${cloud} ${tenantId}`;
    const sender = this.#senders.get(key) ?? this.#options.directory.createServicePrincipal({ cloud, tenantId });
    this.#senders.set(key, sender);
    return sender;
  }
}
