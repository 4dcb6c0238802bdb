import { refOfKey } from "../object-key.ts";
import { SYNC_REASONS, type SyncReason } from "../reasons.ts";
import { conditionOf } from "./class-status.ts";
import type { ClassStatus } from "./status-fields.ts";

/**
 * Counts the classes for each reason: the reason of `Synced` for every class, and in addition `Stale` and `GuardrailsMissing` if another
 * condition of the class has that reason.
 */
export function countByReason(statuses: readonly (ClassStatus | undefined)[]): ReadonlyMap<SyncReason, number> {
  const counts = new Map<SyncReason, number>(SYNC_REASONS.map((reason) => [reason, 0]));
  const add = (reason: SyncReason): void => void counts.set(reason, (counts.get(reason) ?? 0) + 1);
  for (const status of statuses) {
    const synced = conditionOf(status, "Synced");
    if (synced !== undefined) add(synced.reason);
    if (conditionOf(status, "Fresh")?.reason === "Stale") add("Stale");
    if (conditionOf(status, "Guarded")?.status === "False") add("GuardrailsMissing");
  }
  return counts;
}

/** A class whose objects are checked regularly, with the facts that determine the age of its last check. Times are Unix milliseconds. */
export interface CheckedClass {
  /** `namespace/name` */
  readonly key: string;
  /** Time of the last successful check; undefined if there was none. After a start of the worker, it can be up to an hour too old. */
  readonly lastSuccess: number | undefined;
  /** Time at which this process first reconciled the class. */
  readonly knownSince: number;
  readonly isFailing: boolean;
  /** Milliseconds between two polls. */
  readonly interval: number;
}

export interface OverdueClass {
  readonly namespace: string;
  readonly className: string;
  /** Seconds since the last success. */
  readonly seconds: number;
}

export interface CheckAges {
  /** Classes that have missed two polls in a row. */
  readonly overdue: number;
  /** The overdue classes that have waited longest. */
  readonly longest: readonly OverdueClass[];
  /** Age of the oldest answer among all classes; 0 if there are no classes. */
  readonly oldestSeconds: number;
}

/** A time series for each class would be too many, and the series of healthy classes show nothing. */
const MOST_OVERDUE = 100;

export function checkAges(classes: readonly CheckedClass[], now: number): CheckAges {
  const overdue = classes.filter((each) => isOverdue(each, now)).sort((a, b) => since(a) - since(b));
  const oldest = classes.reduce((first, each) => Math.min(first, believedSince(each)), now);
  return {
    overdue: overdue.length,
    longest: overdue.slice(0, MOST_OVERDUE).map((each) => {
      const { namespace, name } = refOfKey(each.key);
      return { namespace, className: name, seconds: secondsBetween(since(each), now) };
    }),
    oldestSeconds: secondsBetween(oldest, now),
  };
}

function isOverdue(each: CheckedClass, now: number): boolean {
  return now - believedSince(each) > 2 * each.interval;
}

/**
 * Time of the last success, as far as it can be trusted. While a class is healthy, its stored time is rewritten only about hourly, so after
 * a start the age counts from this process's first reconcile.
 */
function believedSince(each: CheckedClass): number {
  return each.isFailing ? since(each) : Math.max(since(each), each.knownSince);
}

function since({ lastSuccess, knownSince }: CheckedClass): number {
  return lastSuccess ?? knownSince;
}

function secondsBetween(from: number, to: number): number {
  return Math.max(0, Math.round((to - from) / 1_000));
}

export interface ObjectExpiry {
  readonly namespace: string;
  readonly className: string;
  /** `secret/DemoSecret` */
  readonly object: string;
  /** Unix milliseconds. */
  readonly expires: number;
}

/** A vault can contain any number of objects that expire, and a time series for each would be too many. */
const MOST_EXPIRIES = 100;

export interface NamedStatus {
  /** `namespace/name` of the class. */
  readonly key: string;
  readonly status: ClassStatus | undefined;
}

/** Returns the objects that expire first, including expired ones, each once per class. */
export function firstExpiries(statuses: readonly NamedStatus[]): readonly ObjectExpiry[] {
  return allExpiries(statuses)
    .sort((a, b) => a.expires - b.expires)
    .slice(0, MOST_EXPIRIES);
}

const DAY_MS = 86_400_000;

/**
 * Bounds by their label in metrics: an object counts if it expires within so many milliseconds from now. Each bound includes the ones
 * before it.
 */
const EXPIRY_BOUNDS = { expired: 0, "7d": 7 * DAY_MS, "30d": 30 * DAY_MS, "90d": 90 * DAY_MS } as const;

export type ExpiryBound = keyof typeof EXPIRY_BOUNDS;

/** Counts the objects that expire within each bound, each once per class. Unlike {@link firstExpiries}, it counts all of them. */
export function countExpiring(statuses: readonly NamedStatus[], now: number): ReadonlyMap<ExpiryBound, number> {
  const all = allExpiries(statuses);
  const bounds = Object.entries(EXPIRY_BOUNDS) as [ExpiryBound, number][]; // Keys of the table.
  return new Map(bounds.map(([word, within]) => [word, all.filter(({ expires }) => expires <= now + within).length]));
}

function allExpiries(statuses: readonly NamedStatus[]): ObjectExpiry[] {
  return statuses.flatMap(({ key, status }) => {
    const { namespace, name: className } = refOfKey(key);
    const ends = new Map<string, number>();
    for (const { object, expires } of (status?.secrets ?? []).flatMap(({ data }) => data)) {
      if (object === undefined || expires === undefined) continue;
      // A class can have two versions of one object.
      ends.set(object, Math.min(Date.parse(expires), ends.get(object) ?? Number.POSITIVE_INFINITY));
    }
    return [...ends].map(([object, expires]) => ({ namespace, className, object, expires }));
  });
}
