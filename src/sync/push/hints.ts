import { AgingMap } from "../../domain/aging-map.ts";
import { Groups } from "../../domain/groups.ts";
import { refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import { tenantHasRoom } from "../../domain/schedule/fair-share.ts";
import { type Bucket, fullBucket, takeTurns } from "../../domain/schedule/token-bucket.ts";
import type { ObjectChange } from "../../domain/vault-events/vault-event.ts";
import type { HintOutcome, PushMetrics } from "./push-metrics.ts";

/** Key for all objects that the vault refused to a class. No object has this key. */
export const REFUSED_OBJECTS = "refused";

/** Content of an event about an object. */
export interface HintNews {
  /** `secret/name` in lower case, as in version caches, or {@link REFUSED_OBJECTS}. */
  readonly object: string;
  /** `AccessChanged`: the vault may now grant objects that it refused. */
  readonly change: ObjectChange | "AccessChanged";
  /** Number of objects and lists that a fetch for the hint requests, as far as it is known. */
  readonly objects: number;
  /** Undefined if the event names no version. */
  readonly version: string | undefined;
  /** Unix milliseconds, by the vault's clock. */
  readonly happenedAt: number;
}

/** Request to check an object of a class, or the objects that the vault refused to it. Never contains a value. */
export interface Hint extends HintNews {
  /** Unix milliseconds. */
  readonly receivedAt: number;
  /** Unix milliseconds. Answers to requests that began earlier do not count. */
  readonly unseenSince: number;
  /** Unix milliseconds of the next fetch. */
  readonly dueAt: number;
  /** Number of fetches that did not show the change yet. */
  readonly checks: number;
}

/** Receives a call for each hint of an event that ends. */
export interface Waiter {
  /** One of the hints of the event has ended. */
  ended(): void;
}

interface Pending {
  readonly hint: Hint;
  /** Waiter of the event that the hint describes. Earlier events need no fetch of their own. */
  readonly waiter: Waiter;
}

/** Milliseconds to wait before each further fetch: the vault returns a new version a little later than it sends the event. */
const NEXT_CHECKS_MS = [1_000, 4_000, 15_000] as const;

/** Last part of the wait. Classes with the same outdated answer fetch at about the same time, and share answers from this part. */
const SHARED_PART = 1 / 4;

/** Milliseconds to wait if the vault did not answer. The gate of the vault then decides whether the worker sends a request. */
const NO_ANSWER_MS = 15_000;

/** Milliseconds after which a hint ends and the class's poll detects the change instead. */
export const LONGEST_MS = 600_000;

/** Limit on the object reads that events can cause for one class, so that the polls of other classes find room in the vault's budget. */
const PACE = { perSecond: 1, burst: 50 };

/**
 * Maximum number of hints of all classes: a few MiB with their messages. A namespace can have as many hints as it leaves free for the
 * others. Beyond that, its oldest hints end and its polls detect the changes, so a class whose vault does not answer does not delay the
 * events of other namespaces.
 */
export const MOST_HINTS = 8_192;

/** Ended hints to remember, the oldest dropped first. Duplicates arrive within minutes. An entry takes about 200 bytes. */
const MAX_REMEMBERED = 20_000;

interface HintsOptions {
  readonly clock: Clock;
  readonly metrics: Pick<PushMetrics, "hints" | "lag">;
  /** Requests a reconcile of the class. */
  readonly enqueue: (classKey: string) => void;
}

/**
 * Hints for the objects of each class (`namespace/name`), until a fetch has settled them. Losing them costs nothing: the queue delivers
 * their messages once more, and polls continue.
 */
export class Hints {
  readonly #options: HintsOptions;
  readonly #byClass = new Groups<Pending>();
  /** The same hints by namespace, the one that was received first at the front. A further fetch does not move a hint. */
  readonly #byNamespace = new Groups<{ readonly classKey: string; readonly hint: Hint }>();
  readonly #paces = new Map<string, Bucket>();
  /** Ids of hints that ended recently, in that order. A duplicate of such an event is ignored. */
  readonly #ended = new AgingMap<true>();

  constructor(options: HintsOptions) {
    this.#options = options;
  }

  /**
   * Adds a hint. Returns false, and never calls the waiter, if its event has ended already and no hint for the object is pending. May call
   * the waiter before it returns.
   */
  add(classKey: string, news: HintNews, waiter: Waiter): boolean {
    const before = this.#byClass.get(classKey, news.object);
    if (before === undefined && this.#ended.has(idOf(classKey, news))) return false;
    if (before === undefined) this.#makeRoom(classKey);
    const isSame = before !== undefined && idOf(classKey, before.hint) === idOf(classKey, news);
    const isLess = before !== undefined && reportsMore(before.hint, news);
    const hint = isSame ? before.hint : this.#merged(classKey, isLess ? before.hint : news);
    if (!isSame) this.#byNamespace.delete(refOfKey(classKey).namespace, placeOf(classKey, news));
    this.#put(classKey, { hint, waiter: isLess ? before.waiter : waiter });
    if (!isSame) this.#options.enqueue(classKey);
    // A fetch for the hint that tells more covers both events. If that fetch never happens, only the message of that hint has to be
    // delivered once more.
    if (isLess) waiter.ended();
    else before?.waiter.ended();
    return true;
  }

  of(classKey: string): readonly Hint[] {
    return this.#byClass.of(classKey).map(({ hint }) => hint);
  }

  /** Counts the hints against the pace of the class. Call this right before a fetch for them. */
  began(classKey: string, hints: readonly Hint[]): void {
    for (const { object, objects } of hints) {
      const pace = paceKey(classKey, object);
      const { bucket } = takeTurns(this.#paceOf(pace), PACE, { now: this.#options.clock.now(), turns: objects });
      this.#paces.set(pace, bucket);
    }
  }

  /** Ends a hint. If another hint has replaced it, that one stays. */
  end(classKey: string, hint: Hint, outcome: HintOutcome): void {
    const pending = this.#byClass.get(classKey, hint.object);
    if (pending?.hint !== hint) return;
    this.#options.metrics.hints.inc({ outcome });
    this.#byClass.delete(classKey, hint.object);
    this.#byNamespace.delete(refOfKey(classKey).namespace, placeOf(classKey, hint));
    this.#remember(idOf(classKey, hint));
    pending.waiter.ended();
  }

  /** Ends a hint because the Secrets contain the version that its event reported. */
  applied(classKey: string, hint: Hint): void {
    const seconds = (this.#options.clock.now() - hint.happenedAt) / 1_000;
    this.#options.metrics.lag.observe(Math.max(0, seconds));
    this.end(classKey, hint, "applied");
  }

  /** Schedules a further fetch because the vault does not show the change yet; after a few, ends the hint in favor of the poll. */
  again(classKey: string, hint: Hint): void {
    const wait = NEXT_CHECKS_MS[hint.checks];
    if (wait === undefined) {
      this.end(classKey, hint, "leftToPoll");
      return;
    }
    const dueAt = this.#options.clock.now() + wait;
    this.#replace(classKey, hint, { ...hint, checks: hint.checks + 1, dueAt, unseenSince: dueAt - wait * SHARED_PART });
  }

  /** Schedules a further fetch because the vault did not answer for the object. */
  unanswered(classKey: string, hint: Hint): void {
    this.#replace(classKey, hint, { ...hint, dueAt: this.#options.clock.now() + NO_ANSWER_MS });
  }

  /** Ends hints that no fetch has settled in time, for example because their class is deleted, or waits for its CRD or for a pod. */
  expire(): void {
    const now = this.#options.clock.now();
    for (const classKey of this.#byClass.names())
      for (const hint of this.of(classKey)) if (Math.abs(now - hint.receivedAt) >= LONGEST_MS) this.end(classKey, hint, "leftToPoll");
    // A full bucket is the same as a missing one.
    for (const [pace, bucket] of this.#paces)
      if (takeTurns(bucket, PACE, { now, turns: 0 }).bucket.tokens >= PACE.burst) this.#paces.delete(pace);
  }

  #makeRoom(classKey: string): void {
    const { namespace } = refOfKey(classKey);
    for (;;) {
      const oldest = this.#byNamespace.first(namespace);
      const free = MOST_HINTS - this.#byNamespace.all;
      if (oldest === undefined || tenantHasRoom(this.#byNamespace.size(namespace), free)) return;
      this.end(oldest.classKey, oldest.hint, "leftToPoll");
    }
  }

  /** Creates a hint with new fetches: both the earlier and the new event need an answer to a request that begins from now on. */
  #merged(classKey: string, { object, change, objects, version, happenedAt }: HintNews): Hint {
    const now = this.#options.clock.now();
    const { waitMs } = takeTurns(this.#paceOf(paceKey(classKey, object)), PACE, { now, turns: 1 });
    return { object, change, objects, version, happenedAt, receivedAt: now, unseenSince: now, dueAt: now + waitMs, checks: 0 };
  }

  #paceOf(pace: string): Bucket {
    return this.#paces.get(pace) ?? fullBucket(PACE, this.#options.clock.now());
  }

  #put(classKey: string, pending: Pending): void {
    const { hint } = pending;
    this.#byClass.set(classKey, hint.object, pending);
    this.#byNamespace.set(refOfKey(classKey).namespace, placeOf(classKey, hint), { classKey, hint });
  }

  #replace(classKey: string, hint: Hint, next: Hint): void {
    const pending = this.#byClass.get(classKey, hint.object);
    if (pending?.hint === hint) this.#put(classKey, { ...pending, hint: next });
  }

  #remember(id: string): void {
    this.#ended.delete(id);
    this.#ended.set(id, true);
    if (this.#ended.size > MAX_REMEMBERED && this.#ended.oldest !== undefined) this.#ended.delete(this.#ended.oldest);
  }
}

/**
 * Whether the known hint tells more than the news. A new version tells more than an expiry, whichever happened later: the worker may need
 * several fetches for it, but only one for an expiry.
 */
function reportsMore(known: Hint, news: HintNews): boolean {
  const [reports, brings] = [reportsVersion(known), reportsVersion(news)];
  return reports === brings ? known.happenedAt > news.happenedAt : reports;
}

function reportsVersion({ change }: Pick<HintNews, "change">): boolean {
  return change === "NewVersionCreated";
}

/** Hints of changed access have their own pace: they may fetch a whole class, and must not delay hints of new versions. */
function paceKey(classKey: string, object: string): string {
  return object === REFUSED_OBJECTS ? placeOf(classKey, { object }) : classKey;
}

function placeOf(classKey: string, { object }: Pick<Hint, "object">): string {
  return `${classKey} ${object}`;
}

function idOf(classKey: string, { object, change, version, happenedAt }: HintNews): string {
  return JSON.stringify([classKey, object, change, version ?? null, happenedAt]);
}
