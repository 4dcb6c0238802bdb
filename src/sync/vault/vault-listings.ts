import type { Clock } from "../../domain/ports/clock.ts";
import { VaultError } from "../../domain/ports/vault-error.ts";
import type { ListedObject, VaultObjectKind } from "../../domain/ports/vault-object.ts";
import type { ObjectType } from "../../domain/provider-class/object-rules.ts";
import type { VaultListing } from "../../domain/schedule/object-look.ts";
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
  /** Whether somebody selects objects of the type by what the list says of them: then it is read through, and all of that is kept. */
  readonly isSelectedBy: (type: ObjectType) => boolean;
  /** Called before anybody gets the new list. */
  readonly onTaken: (type: ObjectType, listing: VaultListing) => void;
}

/** A poll of a class: when it was due, and how long it is to the next (milliseconds). */
export interface Poll {
  readonly due: number;
  readonly interval: number;
}

/** A poll, and the namespace of its class. */
export interface ClassPoll extends Poll {
  readonly namespace: string;
  /** Unix milliseconds: a list that was begun before does not count. Where not given, any that serves the poll does. */
  readonly notBefore?: number;
}

interface Taken {
  readonly listing: VaultListing;
  readonly hasDetails: boolean;
  /** Of the poll that it was taken for: measured from there, lists come one an interval, however late a poll ran. */
  readonly due: number;
}

interface Known {
  taken: Taken | undefined;
  underWay: Promise<VaultListing | undefined> | undefined;
  forbiddenUntil: number;
  pages: number;
  pagesUntil: number;
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
    if (taken !== undefined && this.#serves(taken, type, poll)) return taken.listing;
    const before = known.underWay;
    const coming = await before;
    if (before !== undefined && (coming === undefined || isSince(coming, poll))) return coming;
    // Of those who wait for a newer one than that, the first takes it.
    if (known.underWay !== undefined && known.underWay !== before) return known.underWay;
    if (!this.#isWorthwhile(type, known)) return undefined;
    known.underWay = this.#take(type, { known, poll, signal });
    try {
      return await known.underWay;
    } finally {
      known.underWay = undefined;
    }
  }

  #serves({ listing, hasDetails, due }: Taken, type: ObjectType, poll: ClassPoll): boolean {
    if (!hasDetails && this.#options.isSelectedBy(type)) return false;
    return isSince(listing, poll) && isFresh({ due }, poll, this.#options.client.stretchFor(poll.namespace));
  }

  #known(type: ObjectType): Known {
    const known = this.#byType.get(type) ?? { taken: undefined, underWay: undefined, forbiddenUntil: 0, pages: 0, pagesUntil: 0 };
    this.#byType.set(type, known);
    return known;
  }

  #isWorthwhile(type: ObjectType, known: Known): boolean {
    const now = this.#options.clock.now();
    if (now < known.forbiddenUntil) return false;
    return (
      now >= known.pagesUntil || known.pages <= this.#options.wanted(type) || (known.pages <= MAX_PAGES && this.#options.isSelectedBy(type))
    );
  }

  async #take(
    type: ObjectType,
    { known, poll, signal }: { readonly known: Known; readonly poll: ClassPoll; readonly signal: AbortSignal },
  ): Promise<VaultListing | undefined> {
    const { client, clock, onTaken } = this.#options;
    const takenAt = clock.now();
    const hasDetails = this.#options.isSelectedBy(type);
    const objects = new Map<string, ListedObject>();
    let pages = 0;
    try {
      for await (const page of client.inLineOf(poll.namespace).listObjects(KINDS[type], signal)) {
        pages += 1;
        for (const object of page) objects.set(object.name.toLowerCase(), hasDetails ? object : withoutDetails(object));
        if (objects.size > MAX_LISTED) pages = MAX_PAGES + 1;
        if (pages > MAX_PAGES) break;
      }
    } catch (error) {
      if (!(error instanceof VaultError) || error.code !== "Forbidden") throw error;
      known.forbiddenUntil = takenAt + FORBIDDEN_MS;
      known.taken = undefined;
      return undefined;
    }
    known.pages = pages;
    known.pagesUntil = takenAt + TOO_LONG_MS;
    known.taken = undefined;
    if (pages > MAX_PAGES) return undefined;
    const listing = { takenAt, objects };
    known.taken = { listing, hasDetails, due: poll.due };
    onTaken(type, listing);
    return listing;
  }
}

function withoutDetails({ name, isEnabled, updated }: ListedObject): ListedObject {
  return { name, isEnabled, updated };
}

function isSince({ takenAt }: VaultListing, { notBefore = Number.NEGATIVE_INFINITY }: ClassPoll): boolean {
  return takenAt >= notBefore;
}

/** Whether what was asked for one poll serves another. */
export function isFresh({ due }: { readonly due: number }, poll: Poll, stretch: number): boolean {
  const age = poll.due - due;
  return age > -poll.interval && age < poll.interval * stretch - ROUNDING_MS;
}
