import type { Clock } from "../../domain/ports/clock.ts";
import { VaultError } from "../../domain/ports/vault-error.ts";
import type { ListedObject, VaultObjectKind } from "../../domain/ports/vault-object.ts";
import type { ObjectType } from "../../domain/provider-class/object-rules.ts";
import type { VaultListing } from "../../domain/schedule/object-check.ts";
import type { SelectedTags } from "./selections.ts";
import type { BudgetedClient } from "./vault-budget.ts";

/** Milliseconds for which a refused list is not requested again: operators seldom grant the list permission later. */
const FORBIDDEN_MS = 3_600_000;

/** Milliseconds for which the worker relies on the number of a vault's pages if they were too many. */
const TOO_LONG_MS = 86_400_000;

/**
 * The worker does not read a vault of more than 10,000 objects through for a few of them. A vault has at most 25 objects in a page; a
 * server that is not a vault may have more.
 */
const MAX_PAGES = 400;
const MAX_LISTED = 10_000;

/** Tolerance in milliseconds: phases have fractions, times do not. */
const ROUNDING_MS = 2;

/** Names of the types in the client, by their names in a class. */
export const KINDS: Readonly<Record<ObjectType, VaultObjectKind>> = { secret: "secret", key: "key", cert: "certificate" };

export interface ListingsOptions {
  readonly client: BudgetedClient;
  readonly clock: Clock;
  /** Number of objects of the type that the worker would otherwise read one by one. */
  readonly wanted: (type: ObjectType) => number;
  /** Tags by which classes select objects of the type, with their values; undefined if no class does. A list keeps no other tags. */
  readonly selectedTags: (type: ObjectType) => SelectedTags | undefined;
  /** Called before any class gets the new list. */
  readonly onTaken: (type: ObjectType, listing: VaultListing) => void;
}

/**
 * A poll of a class: its due time (Unix milliseconds), the maximum distance to an earlier poll whose answer serves it, and the time between
 * polls (both in milliseconds).
 */
export interface Poll {
  readonly due: number;
  readonly interval: number;
  readonly period: number;
}

/** A poll, and the namespace of its class. */
export interface ClassPoll extends Poll {
  readonly namespace: string;
  /** Unix milliseconds. Lists that began earlier do not count. Default: any list that serves the poll counts. */
  readonly notBefore?: number;
  /** Whether the class selects its objects from the list, and so needs one. */
  readonly isSelecting?: true;
}

/** A list that has begun. */
interface Begun {
  /** Unix milliseconds. */
  readonly takenAt: number;
  /** Tags that the list keeps. */
  readonly tags: SelectedTags | undefined;
}

interface Taken extends Begun {
  readonly listing: VaultListing;
  /** Poll that the list was taken for. Lists are one interval apart, measured from its due time, however late it ran. */
  readonly poll: ClassPoll;
}

interface UnderWay extends Begun {
  readonly coming: Promise<VaultListing | undefined>;
}

interface Known {
  taken: Taken | undefined;
  underWay: UnderWay | undefined;
  /** Times in Unix milliseconds at which these lists began: the one that was refused, and the one whose pages were counted. */
  forbiddenAt: number;
  countedAt: number;
  pages: number;
}

const NOTHING_KNOWN: Readonly<Known> = {
  taken: undefined,
  underWay: undefined,
  forbiddenAt: Number.NEGATIVE_INFINITY,
  countedAt: Number.NEGATIVE_INFINITY,
  pages: 0,
};

/** Result of another namespace's list. Its waiting time does not apply here: the gate holds up the own attempt without a request. */
const THROTTLED = Symbol("throttled");

function asThrottled(error: unknown): typeof THROTTLED {
  if (error instanceof VaultError && error.code === "Throttled") return THROTTLED;
  throw error;
}

interface Taking {
  readonly known: Known;
  readonly begun: Begun;
  readonly poll: ClassPoll;
  readonly signal: AbortSignal;
}

/** Lists of one vault's objects for one identity: one list an interval for each type, for all classes. */
export class VaultListings {
  readonly #options: ListingsOptions;
  readonly #byType = new Map<ObjectType, Known>();

  constructor(options: ListingsOptions) {
    this.#options = options;
  }

  /** Returns a list; undefined if the identity may not list, or single requests are cheaper. Throws {@link VaultError}. */
  async current(type: ObjectType, poll: ClassPoll, signal: AbortSignal): Promise<VaultListing | undefined> {
    const known = this.#known(type);
    const { taken } = known;
    if (taken !== undefined && this.#serves(taken, type, poll)) {
      const isRepeated = this.#isWorthwhile(type, known, taken.poll);
      if (isFresh({ ...taken.poll, isRepeated }, poll, this.#options.client.stretchFor(poll.namespace))) return taken.listing;
    }
    if (!this.#isWorthwhile(type, known, poll)) return undefined;
    // Of the callers that wait for a newer list than the one under way, the first takes it.
    for (let before = known.underWay; before !== undefined; before = known.underWay) {
      const coming = await before.coming.catch(asThrottled);
      if (coming !== THROTTLED && this.#serves(before, type, poll)) return coming;
      // The list was forbidden, or had too many pages.
      if (!this.#isWorthwhile(type, known, poll)) return undefined;
      if (known.underWay === before) break;
    }
    const begun = { takenAt: this.#options.clock.now(), tags: this.#options.selectedTags(type) };
    const underWay = { ...begun, coming: this.#take(type, { known, begun, poll, signal }) };
    known.underWay = underWay;
    try {
      return await underWay.coming;
    } finally {
      if (known.underWay === underWay) known.underWay = undefined;
    }
  }

  /** Whether a list that began then is new enough for the poll and keeps the tags that it needs. */
  #serves({ takenAt, tags }: Begun, type: ObjectType, { isSelecting, notBefore = Number.NEGATIVE_INFINITY }: ClassPoll): boolean {
    return takenAt >= notBefore && (isSelecting !== true || hasAll(tags, this.#options.selectedTags(type)));
  }

  #known(type: ObjectType): Known {
    const known = this.#byType.get(type) ?? { ...NOTHING_KNOWN };
    this.#byType.set(type, known);
    return known;
  }

  /**
   * Whether to take a list, or to wait for one that another class takes. If the class does not select objects, a list is worthwhile only if
   * classes name as many objects as it has pages. A refusal or a count from before `notBefore` does not count.
   */
  #isWorthwhile(type: ObjectType, { forbiddenAt, countedAt, pages }: Known, { isSelecting, notBefore }: ClassPoll): boolean {
    const isKnown = (at: number, forMs: number): boolean =>
      this.#options.clock.now() < at + forMs && at >= (notBefore ?? Number.NEGATIVE_INFINITY);
    if (isKnown(forbiddenAt, FORBIDDEN_MS)) return false;
    return !isKnown(countedAt, TOO_LONG_MS) || pages <= (isSelecting === true ? MAX_PAGES : this.#options.wanted(type));
  }

  async #take(type: ObjectType, { known, begun: { takenAt, tags }, poll, signal }: Taking): Promise<VaultListing | undefined> {
    const { client, onTaken } = this.#options;
    const objects = new Map<string, ListedObject>();
    let pages = 0;
    try {
      for await (const page of client.inLineOf(poll.namespace).listObjects(KINDS[type], signal)) {
        pages += 1;
        for (const object of page) objects.set(object.name.toLowerCase(), reduced(object, tags));
        if (objects.size > MAX_LISTED) pages = MAX_PAGES + 1;
        if (pages > MAX_PAGES) break;
      }
    } catch (error) {
      if (!(error instanceof VaultError) || error.code !== "Forbidden") throw error;
      known.forbiddenAt = takenAt;
      known.taken = undefined;
      return undefined;
    }
    known.pages = pages;
    known.countedAt = takenAt;
    known.taken = undefined;
    if (pages > MAX_PAGES) return undefined;
    const listing = { takenAt, objects };
    known.taken = { listing, takenAt, tags, poll };
    onTaken(type, listing);
    return listing;
  }
}

/** Keeps only the tags by which classes select, and only with the selected values: a vault may have megabytes of others. */
function reduced({ name, isEnabled, updated, details }: ListedObject, wanted: SelectedTags | undefined): ListedObject {
  if (wanted === undefined || details === undefined) return { name, isEnabled, updated };
  // Reads the tags of the object, which are few; classes may select by many.
  const tags = Object.entries(details.tags).filter(([tag, value]) => wanted.get(tag)?.has(value) === true);
  return {
    name,
    isEnabled,
    updated,
    details: { tags: tags.length === 0 ? NO_TAGS : Object.fromEntries(tags), isManaged: details.isManaged },
  };
}

const NO_TAGS: Readonly<Record<string, string>> = {};

function hasAll(kept: SelectedTags | undefined, wanted: SelectedTags = new Map()): boolean {
  return kept !== undefined && [...wanted].every(([tag, values]) => [...values].every((value) => kept.get(tag)?.has(value) === true));
}

/** Part of an interval within which polls share an answer that no class requests again in time, as after a start. */
const ONCE = 0.1;

/** Poll that an answer was requested for. Its class requests the answer again after the period. */
export type AnsweredPoll = Pick<Poll, "due" | "period">;

/**
 * Whether the answer for one poll serves another, even an earlier one. Under throttling it serves polls of further periods, too. It serves
 * for a whole interval only if its class requests it again within the other class's period, because the cache then reports changes to both.
 */
export function isFresh(
  { due, period, isRepeated = true }: AnsweredPoll & { readonly isRepeated?: boolean },
  poll: Poll,
  stretch: number,
): boolean {
  const interval = isRepeated && period <= poll.period ? poll.interval : poll.interval * ONCE;
  return poll.due - due < interval + poll.period * (stretch - 1) - ROUNDING_MS;
}
