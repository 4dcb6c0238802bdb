import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "../../domain/ports/clock.ts";
import { type EventQueue, QueueError, type QueueErrorCode, type QueueMessage } from "../../domain/ports/event-queue.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { parseMessage } from "../../domain/vault-events/parse-message.ts";
import type { VaultEvent } from "../../domain/vault-events/vault-event.ts";
import { type BackoffRange, backoffDelay } from "../../runtime/backoff.ts";
import type { Dispatched } from "./event-dispatch.ts";
import { LONGEST_MS, MOST_HINTS, type Waiter } from "./hints.ts";
import type { MessageOutcome, PushMetrics } from "./push-metrics.ts";

/** As many as the service gives at a time. */
const MOST_AT_A_TIME = 32;

/** Messages of the longest that a queue takes, after an answer that was too large: those come again, and this many always fit. */
const FEW_AT_A_TIME = 4;
const FEW_FOR_MS = 120_000;

/** So long a message is nobody else's: several times what a look takes. Where its reader dies, the next one has it after that (milliseconds). */
const HIDDEN_MS = 30_000;

/** Messages whose looks are under way, or whose deletion is. There is always room for more while the queue takes deletions. */
export const MOST_IN_HAND = 2 * MOST_HINTS;

/** Requests that delete, at a time: each is one transaction of the storage account, which takes thousands a second. */
const DELETIONS_AT_A_TIME = 16;

/**
 * A message that ends its reader comes again and again: after so many receipts it is deleted before it is acted on. One whose looks take as
 * long as they may has been received that often by a reader that is well, and its next reader still acts on it.
 */
export const MOST_RECEIPTS = LONGEST_MS / HIDDEN_MS + 10;

/** Between two looks at a queue that was empty (milliseconds): about 170,000 requests a day. */
const IDLE_MS = 400;
const IDLE_SPREAD_MS = 200;

/** Between two looks at a queue that was not (milliseconds): 1,600 messages a second at most, however fast they come. */
const BUSY_MS = 20;

/** While classes cannot be acted on, or too many messages are in hand (milliseconds). */
const WAIT_MS = 250;

/** What fails for these reasons does so whoever the worker is there. */
const NOT_OF_THE_IDENTITY: readonly QueueErrorCode[] = ["Unreachable", "Throttled", "TooLarge"];

const BACKOFF: BackoffRange = { baseMs: 1_000, maxMs: 60_000 };
const LONGEST_WAIT_MS = 300_000;

/** How often one kind of message that is not acted on is logged (milliseconds). */
const LOG_EVERY_MS = 60_000;

export interface QueueReaderOptions {
  /** Host and name. */
  readonly label: string;
  /** Finds who the worker is there; throws {@link QueueError}. */
  readonly open: (signal: AbortSignal) => Promise<EventQueue>;
  /** Classes are known and may be acted on. */
  readonly isReady: () => boolean;
  readonly dispatch: (event: VaultEvent, waiter: Waiter) => Dispatched;
  readonly metrics: PushMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1). */
  readonly random: () => number;
}

interface InHand {
  receipt: string;
  /** Looks that have not ended. */
  waits: number;
}

/**
 * Reads one queue: receives, has classes look, deletes. What the queue does, and who sends to it, costs others no more than the pace of a class
 * and the time of its messages.
 */
export class QueueReader {
  readonly #options: QueueReaderOptions;
  readonly #inHand = new Map<string, InHand>();
  /** By the ids of messages: nothing more is to be done about them. */
  readonly #done = new Map<string, string>();
  readonly #loggedAt = new Map<MessageOutcome, number>();
  #queue: EventQueue | undefined;
  #failures = 0;
  /** Unix milliseconds. */
  #fewUntil = 0;
  #problem: string | undefined;

  constructor(options: QueueReaderOptions) {
    this.#options = options;
    options.metrics.isUp.set({ queue: options.label }, 0);
  }

  /** Why the queue is not read; undefined while it is. */
  get problem(): string | undefined {
    return this.#problem === undefined ? undefined : `${this.#options.label}: ${this.#problem}`;
  }

  get inHand(): number {
    return this.#inHand.size + this.#done.size;
  }

  /** Until the signal aborts. What is in hand then comes to the next reader. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      let waitMs: number;
      try {
        waitMs = await this.#turn(signal);
      } catch (error) {
        if (signal.aborted) return;
        waitMs = this.#failed(error);
      }
      try {
        if (waitMs > 0) await clock.sleep(waitMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.error("waiting between two reads of an event queue failed", { queue: this.#options.label, error });
      }
    }
  }

  /** Resolves with how long to wait before the next one (milliseconds). */
  async #turn(signal: AbortSignal): Promise<number> {
    const { clock, isReady, open, random } = this.#options;
    if (!isReady()) return WAIT_MS;
    this.#queue ??= await open(signal);
    const room = MOST_IN_HAND - this.inHand;
    const most = Math.min(this.#fewUntil > clock.now() ? FEW_AT_A_TIME : MOST_AT_A_TIME, room);
    const messages = room > 0 ? await this.#queue.receive({ most, hiddenMs: HIDDEN_MS }, signal) : [];
    for (const message of messages) {
      this.#take(message);
      // One event may be about thousands of classes: what else waits for the thread has its turn.
      await nextTurn();
    }
    await this.#deleteSome(this.#queue, signal);
    this.#answered();
    if (messages.length > 0 || this.#done.size > 0) return BUSY_MS;
    return room > 0 ? IDLE_MS + IDLE_SPREAD_MS * random() : WAIT_MS;
  }

  #answered(): void {
    const { label, metrics, clock, logger } = this.#options;
    metrics.isUp.set({ queue: label }, 1);
    metrics.lastAnswer.set({ queue: label }, clock.now() / 1_000);
    if (this.#problem !== undefined) logger.info("an event queue can be read again", { queue: label, failures: this.#failures });
    this.#failures = 0;
    this.#problem = undefined;
  }

  /** Told once, and again where it is for another reason. */
  #failed(error: unknown): number {
    const { label, metrics, clock, logger, random } = this.#options;
    this.#failures += 1;
    const isOurs = error instanceof QueueError;
    const problem = isOurs ? error.message : "a bug of ours";
    if (problem !== this.#problem)
      logger.warn("an event queue cannot be read; only polls detect new versions", { queue: label, problem, error });
    this.#problem = problem;
    metrics.isUp.set({ queue: label }, 0);
    if (isOurs && error.code === "TooLarge") this.#fewUntil = clock.now() + FEW_FOR_MS;
    // The Secret, the grant or whom it names may be another one by then.
    if (!isOurs || !NOT_OF_THE_IDENTITY.includes(error.code)) this.#queue = undefined;
    const wait = backoffDelay(this.#failures, BACKOFF, random);
    return isOurs && error.retry.kind === "after" ? Math.min(Math.max(wait, error.retry.milliseconds), LONGEST_WAIT_MS) : wait;
  }

  #take({ id, receipt, text, receipts }: QueueMessage): void {
    const known = this.#inHand.get(id);
    if (known !== undefined) {
      // Its looks took longer than it was hidden: it is deleted by its last receipt.
      known.receipt = receipt;
      return;
    }
    const message: InHand = { receipt, waits: 0 };
    this.#inHand.set(id, message);
    // Before anything is done about it, which may be what ends its reader.
    if (receipts > MOST_RECEIPTS) this.#finish(id, message);
    let outcome: MessageOutcome = "malformed";
    try {
      const parsed = parseMessage(text);
      outcome = parsed.ok ? this.#act(id, message, parsed.value) : parsed.error;
    } catch (error) {
      // The messages behind it are no worse for that. It comes again, a few times.
      this.#inHand.delete(id);
      this.#options.logger.error("processing a message of an event queue failed", { queue: this.#options.label, error });
      return;
    }
    this.#count(receipts > MOST_RECEIPTS ? "poison" : outcome);
    if (message.waits === 0) this.#finish(id, message);
  }

  #act(id: string, message: InHand, event: VaultEvent): MessageOutcome {
    const waiter: Waiter = {
      ended: () => {
        message.waits -= 1;
        if (message.waits === 0) this.#finish(id, message);
      },
    };
    const { outcome, waits } = this.#options.dispatch(event, waiter);
    message.waits += waits;
    return outcome;
  }

  #finish(id: string, message: InHand): void {
    if (this.#inHand.get(id) !== message) return;
    this.#inHand.delete(id);
    this.#done.set(id, message.receipt);
  }

  #count(outcome: MessageOutcome): void {
    const { label, metrics, clock, logger } = this.#options;
    metrics.messages.inc({ outcome });
    if (!["malformed", "otherType", "poison", "foreign"].includes(outcome)) return;
    const now = clock.now();
    if (Math.abs(now - (this.#loggedAt.get(outcome) ?? Number.NEGATIVE_INFINITY)) < LOG_EVERY_MS) return;
    this.#loggedAt.set(outcome, now);
    logger.warn("deleting messages of an event queue without processing them", { queue: label, why: outcome });
  }

  /** As many as come in one turn: what is new waits behind no more of them. */
  async #deleteSome(queue: EventQueue, signal: AbortSignal): Promise<void> {
    for (let left = MOST_AT_A_TIME; left > 0 && this.#done.size > 0; left -= DELETIONS_AT_A_TIME) {
      const some = [...this.#done].slice(0, DELETIONS_AT_A_TIME);
      const deletions = await Promise.allSettled(some.map(([id, receipt]) => queue.delete({ id, receipt }, signal)));
      for (const [index, { status }] of deletions.entries()) if (status === "fulfilled") this.#done.delete(some[index]?.[0] ?? "");
      const failed = deletions.find((deletion) => deletion.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    }
  }
}
