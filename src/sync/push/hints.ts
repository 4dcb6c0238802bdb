import { Groups } from "../../domain/groups.ts";
import { refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import { tenantHasRoom } from "../../domain/schedule/fair-share.ts";
import { type Bucket, fullBucket, takeTurns } from "../../domain/schedule/token-bucket.ts";
import type { ObjectChange } from "../../domain/vault-events/vault-event.ts";
import type { HintOutcome, PushMetrics } from "./push-metrics.ts";

/** Stands for all that a class was refused. No object has such a name. */
export const REFUSED_OBJECTS = "refused";

/** What an event says of an object. */
export interface HintNews {
  /** `secret/name` in lower case, as version caches have it, or {@link REFUSED_OBJECTS}. */
  readonly object: string;
  /** `AccessChanged`: what the vault refused may be had now. */
  readonly change: ObjectChange | "AccessChanged";
  /** How many objects a look because of it asks for at most. */
  readonly objects: number;
  /** Undefined where the event names none. */
  readonly version: string | undefined;
  /** Unix milliseconds, by the vault's clock. */
  readonly happenedAt: number;
}

/** That an object of a class, or what it was refused, has to be looked at: never what it is. */
export interface Hint extends HintNews {
  /** Unix milliseconds. */
  readonly receivedAt: number;
  /** Unix milliseconds: answers to requests that began before say nothing of it. */
  readonly unseenSince: number;
  /** Unix milliseconds of the next look. */
  readonly dueAt: number;
  /** How often the vault has shown something older. */
  readonly looks: number;
}

/** Whoever waits until nothing more is to be done about an event. */
export interface Waiter {
  /** One of the hints that it waits for has ended. */
  ended(): void;
}

interface Pending {
  readonly hint: Hint;
  /** Of the event that the hint is about: those before it need no look of their own. */
  readonly waiter: Waiter;
}

/** The vault's machines show a new version a little later than it tells of it: looks after the first, milliseconds apart. */
const NEXT_LOOKS_MS = [1_000, 4_000, 15_000] as const;

/** Classes that were shown the same answer look again within this part of the wait, and share the next one. */
const SHARED_PART = 1 / 4;

/** Where no answer came: the vault's own gate says whether it is asked at all (milliseconds). */
const NO_ANSWER_MS = 15_000;

/** After so long the class's poll does without the hint (milliseconds). */
export const LONGEST_MS = 600_000;

/** Looks at objects of a class that events may cause: whatever comes, polls of others find room in their vault's budget. */
const PACE = { perSecond: 1, burst: 50 };

/**
 * Hints of all classes, each with its message: a few MiB. A namespace has no more than it leaves to the others, and beyond that its oldest
 * are left to polls: a class whose vault gives no answer keeps nobody's events waiting.
 */
export const MOST_HINTS = 8_192;

/** Duplicates come within minutes; the oldest go first. An entry takes about 200 bytes. */
const MAX_REMEMBERED = 20_000;

interface HintsOptions {
  readonly clock: Clock;
  readonly metrics: Pick<PushMetrics, "hints" | "lag">;
  /** The class is to be reconciled. */
  readonly enqueue: (classKey: string) => void;
}

/** What events say of the objects of each class (`namespace/name`), until somebody has looked. Losing it costs nothing: messages come again, and polls stay. */
export class Hints {
  readonly #options: HintsOptions;
  readonly #byClass = new Groups<Pending>();
  /** The same by namespace, the oldest first. */
  readonly #byNamespace = new Groups<{ readonly classKey: string; readonly hint: Hint }>();
  readonly #paces = new Map<string, Bucket>();
  /** Ended lately, in that order: the same event once more is no news. */
  readonly #ended = new Set<string>();

  constructor(options: HintsOptions) {
    this.#options = options;
  }

  /** False where the same was looked at already: nobody waits then. A waiter may be told at once that nothing more is to be done. */
  add(classKey: string, news: HintNews, waiter: Waiter): boolean {
    const before = this.#byClass.get(classKey, news.object);
    if (before === undefined && this.#ended.has(idOf(classKey, news))) return false;
    if (before === undefined) this.#makeRoom(classKey);
    const isSame = before !== undefined && idOf(classKey, before.hint) === idOf(classKey, news);
    const isLess = before !== undefined && tellsMore(before.hint, news);
    const hint = isSame ? before.hint : this.#merged(classKey, isLess ? before.hint : news);
    this.#put(classKey, { hint, waiter: isLess ? before.waiter : waiter });
    if (!isSame) this.#options.enqueue(classKey);
    // A look at the one that tells more sees both: its message alone has to come again where nobody gets to the look.
    if (isLess) waiter.ended();
    else before?.waiter.ended();
    return true;
  }

  of(classKey: string): readonly Hint[] {
    return this.#byClass.of(classKey).map(({ hint }) => hint);
  }

  /** Its vault is about to be asked because of them. */
  began(classKey: string, hints: readonly Hint[]): void {
    for (const { object, objects } of hints) {
      const pace = paceKey(classKey, object);
      const { bucket } = takeTurns(this.#paceOf(pace), PACE, { now: this.#options.clock.now(), turns: objects });
      this.#paces.set(pace, bucket);
    }
  }

  /** Nothing more is to be done. A hint that has changed since is another one, and stays. */
  end(classKey: string, hint: Hint, outcome: HintOutcome): void {
    const pending = this.#byClass.get(classKey, hint.object);
    if (pending?.hint !== hint) return;
    this.#options.metrics.hints.inc({ outcome });
    this.#byClass.delete(classKey, hint.object);
    this.#byNamespace.delete(refOfKey(classKey).namespace, placeOf(classKey, hint));
    this.#remember(idOf(classKey, hint));
    pending.waiter.ended();
  }

  /** The Secrets hold what the event told of. */
  applied(classKey: string, hint: Hint): void {
    const seconds = (this.#options.clock.now() - hint.happenedAt) / 1_000;
    this.#options.metrics.lag.observe(Math.max(0, seconds));
    this.end(classKey, hint, "applied");
  }

  /** The vault shows an older version still: a few more looks, then its poll. */
  again(classKey: string, hint: Hint): void {
    const wait = NEXT_LOOKS_MS[hint.looks];
    if (wait === undefined) {
      this.end(classKey, hint, "leftToPoll");
      return;
    }
    const dueAt = this.#options.clock.now() + wait;
    this.#replace(classKey, hint, { ...hint, looks: hint.looks + 1, dueAt, unseenSince: dueAt - wait * SHARED_PART });
  }

  /** Nothing was learnt of the object. */
  unanswered(classKey: string, hint: Hint): void {
    this.#replace(classKey, hint, { ...hint, dueAt: this.#options.clock.now() + NO_ANSWER_MS });
  }

  /** Ends what nobody has come to look at: a class that is gone, or waits for its CRD or for a pod. */
  expire(): void {
    const now = this.#options.clock.now();
    for (const classKey of this.#byClass.names())
      for (const hint of this.of(classKey)) if (Math.abs(now - hint.receivedAt) >= LONGEST_MS) this.end(classKey, hint, "leftToPoll");
    // A full one is as good as none.
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

  /** One of two, with a look that begins now: both need one. */
  #merged(classKey: string, { object, change, objects, version, happenedAt }: HintNews): Hint {
    const now = this.#options.clock.now();
    const { waitMs } = takeTurns(this.#paceOf(paceKey(classKey, object)), PACE, { now, turns: 1 });
    return { object, change, objects, version, happenedAt, receivedAt: now, unseenSince: now, dueAt: now + waitMs, looks: 0 };
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
    this.#ended.add(id);
    const [oldest] = this.#ended;
    if (this.#ended.size > MAX_REMEMBERED && oldest !== undefined) this.#ended.delete(oldest);
  }
}

/** A new version may be looked for several times, and what expires once: whichever came later, the version is what is waited for. */
function tellsMore(known: Hint, news: HintNews): boolean {
  const [tells, brings] = [tellsVersion(known), tellsVersion(news)];
  return tells === brings ? known.happenedAt > news.happenedAt : tells;
}

function tellsVersion({ change }: Pick<HintNews, "change">): boolean {
  return change === "NewVersionCreated";
}

/** Looks because of changed access may ask for a whole class, and delay none that a new version waits for. */
function paceKey(classKey: string, object: string): string {
  return object === REFUSED_OBJECTS ? placeOf(classKey, { object }) : classKey;
}

function placeOf(classKey: string, { object }: Pick<Hint, "object">): string {
  return `${classKey} ${object}`;
}

function idOf(classKey: string, { object, change, version, happenedAt }: HintNews): string {
  return JSON.stringify([classKey, object, change, version ?? null, happenedAt]);
}
