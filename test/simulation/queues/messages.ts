/** The messages in a queue of Azure Storage: https://learn.microsoft.com/rest/api/storageservices/queue-service-concepts */
import type { Random } from "../time/random.ts";

export interface QueuedMessage {
  readonly id: string;
  readonly text: string;
  /** Unix milliseconds. */
  readonly insertedAt: number;
  readonly expiresAt: number;
  /** Time before which no one receives the message. */
  visibleAt: number;
  /** Number of times that someone received the message. */
  receipts: number;
  /** Pop receipt, which a deletion must contain. It changes with each receipt. */
  receipt: string;
}

const LIFETIME_MS = 7 * 24 * 3_600_000;

/** Probability that a message comes late, because the service guarantees no order. */
const OUT_OF_ORDER = 0.1;

export class MessageQueue {
  readonly #now: () => number;
  readonly #random: Random;
  readonly #messages = new Map<string, QueuedMessage>();

  /** `now`: Unix milliseconds. */
  constructor(now: () => number, random: Random) {
    this.#now = now;
    this.#random = random;
  }

  /** Number of messages, including hidden ones. */
  get size(): number {
    this.#expire();
    return this.#messages.size;
  }

  /** Whether a message can be received now. */
  get hasVisible(): boolean {
    const now = this.#now();
    for (const { visibleAt } of this.#messages.values()) if (visibleAt <= now) return true;
    return false;
  }

  all(): readonly QueuedMessage[] {
    return [...this.#messages.values()];
  }

  put(text: string): QueuedMessage {
    const now = this.#now();
    const id = uuidOf(this.#random);
    const message = { id, text, insertedAt: now, expiresAt: now + LIFETIME_MS, visibleAt: now, receipts: 0, receipt: this.#newReceipt() };
    this.#messages.set(id, message);
    return message;
  }

  peek(most: number): readonly QueuedMessage[] {
    return this.#visible().slice(0, most);
  }

  receive(most: number, hiddenMs: number): readonly QueuedMessage[] {
    const received = this.#visible().slice(0, most);
    for (const message of received) {
      message.visibleAt = this.#now() + hiddenMs;
      message.receipts += 1;
      message.receipt = this.#newReceipt();
    }
    return received;
  }

  /** Deletes a message if the receipt is the current one, and returns the result. */
  delete(id: string, receipt: string): "deleted" | "not there" | "another receipt" {
    this.#expire();
    const message = this.#messages.get(id);
    if (message === undefined) return "not there";
    if (message.receipt !== receipt) return "another receipt";
    this.#messages.delete(id);
    return "deleted";
  }

  clear(): void {
    this.#messages.clear();
  }

  #visible(): readonly QueuedMessage[] {
    this.#expire();
    const now = this.#now();
    const visible = [...this.#messages.values()].filter(({ visibleAt }) => visibleAt <= now).sort((a, b) => a.visibleAt - b.visibleAt);
    const late = visible.filter(() => this.#random.chance(OUT_OF_ORDER));
    return late.length === 0 ? visible : [...visible.filter((message) => !late.includes(message)), ...late];
  }

  #expire(): void {
    const now = this.#now();
    for (const [id, { expiresAt }] of this.#messages) if (expiresAt <= now) this.#messages.delete(id);
  }

  #newReceipt(): string {
    return this.#random.bytes(16).toString("base64");
  }
}

export function uuidOf(random: Random): string {
  const hex = random.bytes(16).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}
