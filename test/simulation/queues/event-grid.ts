/** What Event Grid does between vaults and a queue: it delivers at least once, in no order, sometimes late, and now and then not at all. */
import { eventOf } from "../../../tools/key-vault-emulator/queues/event-form.ts";
import type { Random } from "../time/random.ts";
import type { Scheduler } from "../time/scheduler.ts";
import type { MessageQueue, QueuedMessage } from "./messages.ts";

/** A new version of a vault's object, as the vault tells of it. */
export interface NewVersion {
  readonly vault: string;
  readonly object: string;
  readonly isCertificate: boolean;
  readonly version: string;
}

/** Of one new version. Times in virtual milliseconds. */
export interface SentEvent extends NewVersion {
  /** Since when it is in the queue; undefined: not yet. */
  deliveredAt: number | undefined;
  /** Nobody will ever read it: it was never delivered, or the queue went with it. */
  isLost: boolean;
}

/** What happens to deliveries at the moment. */
export interface Delivery {
  /** Share of the events. */
  lost: number;
  /** How many times more each event is delivered. */
  repeated: number;
  /** Nothing is delivered before it ends. */
  isHeldUp: boolean;
}

export interface EventGridOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Undefined while the queue is not there. */
  readonly queue: () => MessageQueue | undefined;
}

/** Milliseconds. */
const USUAL_MS = 400;
const LATE_MS = 180_000;
const RETRY_MS = 15_000;

/** Shares of the events. */
const LATE = 0.04;
const TWICE = 0.15;
const LOST = 0.02;

/** What is older is judged by nobody. */
const KEPT = 2_000;

export class EventGrid {
  readonly delivery: Delivery = { lost: 0, repeated: 0, isHeldUp: false };
  readonly #options: EventGridOptions;
  readonly #sent: SentEvent[] = [];
  readonly #listeners: ((event: SentEvent) => void)[] = [];
  /** By the ids of messages. */
  readonly #inQueue = new Map<string, SentEvent>();

  constructor(options: EventGridOptions) {
    this.#options = options;
  }

  /** Told when an event comes into the queue for the first time. */
  onDelivered(listener: (event: SentEvent) => void): void {
    this.#listeners.push(listener);
  }

  /** A vault has a new version. */
  announce(version: NewVersion): void {
    const { random } = this.#options;
    const sent: SentEvent = { ...version, deliveredAt: undefined, isLost: random.chance(Math.max(LOST, this.delivery.lost)) };
    this.#sent.push(sent);
    if (this.#sent.length > 2 * KEPT) this.#sent.splice(0, KEPT);
    if (sent.isLost) return;
    const text = textOf(version, random);
    const times = 1 + (random.chance(TWICE) ? 1 : 0) + this.delivery.repeated;
    for (let time = 0; time < times; time += 1) this.#deliverLater(sent, text, this.#delay());
  }

  /** Somebody else's message, or one that nobody meant to send. */
  put(text: string): void {
    this.#options.queue()?.put(text);
  }

  /** The queue goes, and all that is in it. */
  loseAll(messages: readonly QueuedMessage[]): void {
    for (const { id } of messages) {
      const sent = this.#inQueue.get(id);
      if (sent !== undefined) sent.isLost = true;
    }
    this.#inQueue.clear();
  }

  #delay(): number {
    const { random } = this.#options;
    return random.chance(LATE) ? random.between(USUAL_MS, LATE_MS) : random.delay(USUAL_MS);
  }

  #deliverLater(sent: SentEvent, text: string, milliseconds: number): void {
    const { scheduler, random, queue } = this.#options;
    scheduler.schedule(milliseconds, () => {
      const there = this.delivery.isHeldUp ? undefined : queue();
      if (there === undefined) {
        this.#deliverLater(sent, text, random.delay(RETRY_MS));
        return;
      }
      this.#inQueue.set(there.put(text).id, sent);
      const [oldest] = this.#inQueue.keys();
      if (this.#inQueue.size > KEPT && oldest !== undefined) this.#inQueue.delete(oldest);
      if (sent.deliveredAt !== undefined) return;
      sent.deliveredAt = scheduler.now;
      for (const listen of this.#listeners) listen(sent);
    });
  }
}

const CLOUD_EVENTS = 0.4;
const AS_JSON = 0.1;

/** As Event Grid writes it, in base64, or as a test by hand does, without. */
export function textOf({ vault, object, isCertificate, version }: NewVersion, random: Random): string {
  const reported = { object: isCertificate ? "Certificate" : "Secret", name: object, version, notBefore: null, expires: null } as const;
  const schema = random.chance(CLOUD_EVENTS) ? "cloudEvents" : "eventGrid";
  return written(eventOf({ name: vault, url: `https://${vault}.vault.azure.net/` }, reported, schema), random);
}

export function written(event: unknown, random: Random): string {
  const json = JSON.stringify(event);
  return random.chance(AS_JSON) ? json : Buffer.from(json).toString("base64");
}
