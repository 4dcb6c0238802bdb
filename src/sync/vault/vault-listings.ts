import type { Clock } from "../../domain/ports/clock.ts";
import { VaultError } from "../../domain/ports/vault-error.ts";
import type { ListedObject, VaultObjectKind } from "../../domain/ports/vault-object.ts";
import type { ObjectType } from "../../domain/provider-class/object-rules.ts";
import type { VaultListing } from "../../domain/schedule/object-look.ts";
import type { SelectedTags } from "./selections.ts";
import type { BudgetedClient } from "./vault-budget.ts";

/** How long a refused list is not asked for again: the right to list is given seldom (milliseconds). */
const FORBIDDEN_MS = 3_600_000;

/** How long the number of a vault's pages is believed where they were too many (milliseconds). */
const TOO_LONG_MS = 86_400_000;

/** A vault of more than 10,000 objects is not read through for a few of them. Who is no vault puts more than 25 into a page. */
const MAX_PAGES = 400;
const MAX_LISTED = 10_000;

/** Phases are no whole milliseconds, times are. */
const ROUNDING_MS = 2;

/** As clients call what classes call so. */
export const KINDS: Readonly<Record<ObjectType, VaultObjectKind>> = { secret: "secret", key: "key", cert: "certificate" };

export interface ListingsOptions {
  readonly client: BudgetedClient;
  readonly clock: Clock;
  /** How many objects of the type would be asked for one by one instead. */
  readonly wanted: (type: ObjectType) => number;
  /** The tags, with their values, by which somebody selects objects of the type; undefined where nobody does. Of a list no others are kept. */
  readonly selectedTags: (type: ObjectType) => SelectedTags | undefined;
  /** Called before anybody gets the new list. */
  readonly onTaken: (type: ObjectType, listing: VaultListing) => void;
}

/** A poll of a class: when it was due, how far from it the one before may lie whose answer serves it, and how far polls are apart (milliseconds). */
export interface Poll {
  readonly due: number;
  readonly interval: number;
  readonly period: number;
}

/** A poll, and the namespace of its class. */
export interface ClassPoll extends Poll {
  readonly namespace: string;
  /** Unix milliseconds: a list that was begun before does not count. Where not given, any that serves the poll does. */
  readonly notBefore?: number;
  /** The class selects its objects from the list, and does not go without. */
  readonly isSelecting?: true;
}

/** A list from when it is begun. */
interface Begun {
  /** Unix milliseconds. */
  readonly takenAt: number;
  /** What is kept of its tags. */
  readonly tags: SelectedTags | undefined;
}

interface Taken extends Begun {
  readonly listing: VaultListing;
  /** Of the poll that it was taken for: measured from there, lists come one an interval, however late a poll ran. */
  readonly due: number;
}

interface UnderWay extends Begun {
  readonly coming: Promise<VaultListing | undefined>;
}

interface Known {
  taken: Taken | undefined;
  underWay: UnderWay | undefined;
  /** Unix milliseconds: when the list was begun that was refused; and that was counted, with its pages. */
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

/** Of a list that another namespace began: how long that one has to wait is no matter of ours, whose own attempt is held up without a request. */
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

/** The lists of one vault's objects as one identity gets them: one an interval for each kind, for all classes. */
export class VaultListings {
  readonly #options: ListingsOptions;
  readonly #byType = new Map<ObjectType, Known>();

  constructor(options: ListingsOptions) {
    this.#options = options;
  }

  /** Undefined where the identity may not list, or asking for the objects one by one is cheaper. Throws {@link VaultError}. */
  async current(type: ObjectType, poll: ClassPoll, signal: AbortSignal): Promise<VaultListing | undefined> {
    const known = this.#known(type);
    const { taken } = known;
    if (taken !== undefined && this.#serves(taken, type, poll) && this.#isInTime(taken, poll)) return taken.listing;
    if (!this.#isWorthwhile(type, known, poll)) return undefined;
    // Of those who wait for a newer list than one that is under way, the first takes it.
    for (let before = known.underWay; before !== undefined; before = known.underWay) {
      const coming = await before.coming.catch(asThrottled);
      if (coming !== THROTTLED && this.#serves(before, type, poll)) return coming;
      // What came was forbidden, or had too many pages.
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

  /** Whether a list that was begun then has what the poll wants of one. */
  #serves({ takenAt, tags }: Begun, type: ObjectType, { isSelecting, notBefore = Number.NEGATIVE_INFINITY }: ClassPoll): boolean {
    return takenAt >= notBefore && (isSelecting !== true || hasAll(tags, this.#options.selectedTags(type)));
  }

  #isInTime(taken: Taken, poll: ClassPoll): boolean {
    return isFresh(taken, poll, this.#options.client.stretchFor(poll.namespace));
  }

  #known(type: ObjectType): Known {
    const known = this.#byType.get(type) ?? { ...NOTHING_KNOWN };
    this.#byType.set(type, known);
    return known;
  }

  /**
   * Not for who names a few objects of a large vault: nobody waits for the list that another class takes. What was refused or too long before
   * says nothing to who asks how it is since.
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
    known.taken = { listing, takenAt, tags, due: poll.due };
    onTaken(type, listing);
    return listing;
  }
}

/** With the tags alone that somebody selects by, and that have the value that is asked for: a vault may have megabytes of others. */
function reduced({ name, isEnabled, updated, details }: ListedObject, wanted: SelectedTags | undefined): ListedObject {
  if (wanted === undefined || details === undefined) return { name, isEnabled, updated };
  // An object has few; classes may select by many.
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

/** Whether what was asked for one poll serves another: also one that was due before. Under throttling so do polls of further periods. */
export function isFresh({ due }: { readonly due: number }, poll: Poll, stretch: number): boolean {
  return poll.due - due < poll.interval + poll.period * (stretch - 1) - ROUNDING_MS;
}
