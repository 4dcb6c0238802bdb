import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, monotonicClock } from "../../domain/ports/clock.ts";
import { type EventQueue, QueueError, type QueueErrorCode, type QueueMessage } from "../../domain/ports/event-queue.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { parseMessage } from "../../domain/vault-events/parse-message.ts";
import type { VaultEvent } from "../../domain/vault-events/vault-event.ts";
import { type BackoffRange, backoffDelay } from "../../runtime/backoff.ts";
import { Breaths } from "../../runtime/breaths.ts";
import type { TimeShare } from "../../runtime/time-share.ts";
import type { Dispatched, Dispatching } from "./event-dispatch.ts";
import { LONGEST_MS, MOST_HINTS, type Waiter } from "./hints.ts";
import type { MessageOutcome, PushMetrics } from "./push-metrics.ts";

/** Maximum number of messages that the service returns at a time. */
const MOST_AT_A_TIME = 32;

/** Messages to request after an answer was too large. The queue delivers that answer's messages again, and this many always fit. */
const FEW_AT_A_TIME = 4;
const FEW_FOR_MS = 120_000;

/**
 * Milliseconds for which the queue hides a received message from other readers: several times as long as a check takes. If the reader dies,
 * the next reader receives the message after this time.
 */
const HIDDEN_MS = 30_000;

/** Maximum number of messages that wait for hints or deletion. More than the hints, so that there is room while deletions work. */
export const MOST_IN_HAND = 2 * MOST_HINTS;

/** Number of concurrent requests that delete. Each is one transaction of the storage account, which accepts thousands a second. */
const DELETIONS_AT_A_TIME = 16;

/**
 * Maximum number of receipts of a message. If a message crashes its reader, the queue delivers it again and again: after this many
 * receipts, the reader only deletes it, and the poll detects the change. A healthy reader may receive a message up to LONGEST_MS /
 * HIDDEN_MS times while its hints are pending; the 10 further receipts let its next reader still act on it.
 */
export const MOST_RECEIPTS = LONGEST_MS / HIDDEN_MS + 10;

/** Milliseconds in which the messages of one answer are processed: much less than the service hides them. */
const ANSWER_MS = HIDDEN_MS / 6;

/** Milliseconds between two reads of a queue that was empty, plus a random spread: about 170,000 requests a day. */
const IDLE_MS = 400;
const IDLE_SPREAD_MS = 200;

/** Milliseconds between two reads of a queue that was not empty: at most 1,600 messages a second. */
const BUSY_MS = 20;

/** Milliseconds to wait while the worker may not act on classes, or too many messages are in hand. */
const WAIT_MS = 250;

/** Errors that do not depend on the identity with which the worker signs in. */
const NOT_OF_THE_IDENTITY: readonly QueueErrorCode[] = ["Unreachable", "Faulty", "Throttled", "TooLarge"];

const BACKOFF: BackoffRange = { baseMs: 1_000, maxMs: 60_000 };
const LONGEST_WAIT_MS = 300_000;

/** Milliseconds between two log entries about deleted messages with the same outcome. */
const LOG_EVERY_MS = 60_000;

export interface QueueReaderOptions {
  /** Host and name of the queue. */
  readonly label: string;
  /** Opens the queue with the worker's identity. Throws {@link QueueError}. */
  readonly open: (signal: AbortSignal) => Promise<EventQueue>;
  /** Whether the worker knows all classes and may act on them. */
  readonly isReady: () => boolean;
  readonly dispatch: (dispatching: Dispatching<VaultEvent>) => Promise<Dispatched>;
  readonly metrics: PushMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
}

interface Acting {
  readonly id: string;
  readonly message: InHand;
  readonly breaths: Breaths;
}

interface InHand {
  receipt: string;
  /** Number of pending hints. */
  waits: number;
}

/**
 * Reads one queue: receives messages, adds hints for their classes, and deletes the messages. A queue, and anyone who sends to it, can cost
 * other classes no more than the pace of a class and the time to process the messages.
 */
export class QueueReader {
  readonly #options: QueueReaderOptions;
  readonly #thread: TimeShare;
  readonly #steady: Clock;
  readonly #inHand = new Map<string, InHand>();
  /** Receipts of messages that wait for their deletion, by the ids of the messages. */
  readonly #done = new Map<string, string>();
  readonly #loggedAt = new Map<MessageOutcome, number>();
  #queue: EventQueue | undefined;
  #failures = 0;
  /** Unix milliseconds. */
  #fewUntil = 0;
  /** Number of messages that the reader processes in {@link ANSWER_MS}, as far as it is known. */
  #perAnswer = MOST_AT_A_TIME;
  #problem: string | undefined;

  /** `thread`: time of all readers on the process's only thread. */
  constructor(options: QueueReaderOptions, thread: TimeShare) {
    this.#options = options;
    this.#thread = thread;
    this.#steady = monotonicClock(options.clock);
    options.metrics.isUp.set({ queue: options.label }, 0);
  }

  /** Reason why the queue cannot be read; undefined while it can. */
  get problem(): string | undefined {
    return this.#problem === undefined ? undefined : `${this.#options.label}: ${this.#problem}`;
  }

  get inHand(): number {
    return this.#inHand.size + this.#done.size;
  }

  /** Reads the queue until the signal aborts. The next reader then receives the messages in hand. */
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

  /** Resolves with the milliseconds to wait before the next turn. */
  async #turn(signal: AbortSignal): Promise<number> {
    const { clock, isReady, open, random } = this.#options;
    if (!isReady()) return WAIT_MS;
    this.#queue ??= await open(signal);
    const room = MOST_IN_HAND - this.inHand;
    const most = Math.min(this.#fewUntil > clock.now() ? FEW_AT_A_TIME : MOST_AT_A_TIME, this.#perAnswer, room);
    const messages = room > 0 ? await this.#queue.receive({ most, hiddenMs: HIDDEN_MS }, signal) : [];
    await this.#takeAll(messages, signal);
    await this.#deleteSome(this.#queue, signal);
    this.#answered();
    if (messages.length > 0 || this.#done.size > 0) return BUSY_MS;
    return room > 0 ? IDLE_MS + IDLE_SPREAD_MS * random() : WAIT_MS;
  }

  /** Processes the messages one after the other. One event may concern thousands of classes: other work gets the thread in between. */
  async #takeAll(messages: readonly QueueMessage[], signal: AbortSignal): Promise<void> {
    const began = this.#steady.now();
    let partBegan = began;
    const breathe = async (): Promise<void> => {
      this.#thread.spent(this.#steady.now() - partBegan);
      const { restMs } = this.#thread;
      await (restMs > 0 ? this.#options.clock.sleep(restMs, signal) : nextTurn());
      signal.throwIfAborted();
      partBegan = this.#steady.now();
    };
    const breaths = new Breaths(breathe);
    for (const message of messages) {
      await this.#take(message, breaths, signal);
      await breathe();
    }
    const tookMs = this.#steady.now() - began;
    if (messages.length > 0) this.#perAnswer = perAnswer(tookMs / messages.length);
  }

  #answered(): void {
    const { label, metrics, clock, logger } = this.#options;
    metrics.isUp.set({ queue: label }, 1);
    metrics.lastAnswer.set({ queue: label }, clock.now() / 1_000);
    if (this.#problem !== undefined) logger.info("an event queue can be read again", { queue: label, failures: this.#failures });
    this.#failures = 0;
    this.#problem = undefined;
  }

  /** Logs a failure once, and again if the reason changes. Returns the milliseconds to wait before the next turn. */
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
    // The next turn reopens the queue: the Secret, the grant or the identity may be different by then.
    if (!isOurs || !NOT_OF_THE_IDENTITY.includes(error.code)) this.#queue = undefined;
    const wait = backoffDelay(this.#failures, BACKOFF, random);
    return isOurs && error.retry.kind === "after" ? Math.min(Math.max(wait, error.retry.milliseconds), LONGEST_WAIT_MS) : wait;
  }

  async #take({ id, receipt, text, receipts }: QueueMessage, breaths: Breaths, signal: AbortSignal): Promise<void> {
    const known = this.#inHand.get(id);
    if (known !== undefined) {
      // Its hints took longer than the queue hid the message. The deletion needs the last receipt.
      known.receipt = receipt;
      return;
    }
    const message: InHand = { receipt, waits: 0 };
    this.#inHand.set(id, message);
    if (receipts > MOST_RECEIPTS) {
      // Acting on the message, even after its deletion, might crash the reader once more.
      this.#count("poison");
      this.#finish(id, message);
      return;
    }
    let outcome: MessageOutcome = "malformed";
    try {
      const parsed = parseMessage(text);
      outcome = parsed.ok ? await this.#act({ id, message, breaths }, parsed.value) : parsed.error;
    } catch (error) {
      // The queue delivers the message to the next reader.
      if (signal.aborted) throw error;
      // The reader still processes the messages after this one. The queue delivers this one a few more times.
      this.#inHand.delete(id);
      this.#options.logger.error("processing a message of an event queue failed", { queue: this.#options.label, error });
      return;
    }
    this.#count(outcome);
    if (message.waits === 0) this.#finish(id, message);
  }

  async #act({ id, message, breaths }: Acting, event: VaultEvent): Promise<MessageOutcome> {
    const waiter: Waiter = {
      ended: () => {
        message.waits -= 1;
        if (message.waits === 0) this.#finish(id, message);
      },
    };
    // Hints that end during the dispatch make the number negative, so the message is not finished before all its hints are counted.
    const { outcome, waits } = await this.#options.dispatch({ event, waiter, breaths });
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

  /** Deletes at most as many messages as one turn receives, so that new messages do not wait for more deletions. */
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

function perAnswer(messageMs: number): number {
  return Math.max(1, Math.min(MOST_AT_A_TIME, Math.floor(ANSWER_MS / Math.max(1, messageMs))));
}
