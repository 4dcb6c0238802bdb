import { refOfKey } from "../object-key.ts";

/** A class whose objects are checked regularly, as far as its age is concerned. Times are Unix milliseconds. */
export interface CheckedClass {
  /** `namespace/name` */
  readonly key: string;
  /** Of the last check that succeeded; undefined where none has. After a start it may be an hour too old. */
  readonly lastSuccess: number | undefined;
  /** When this process first looked at the class. */
  readonly knownSince: number;
  readonly isFailing: boolean;
  /** Between two polls, milliseconds. */
  readonly interval: number;
}

export interface OverdueClass {
  readonly namespace: string;
  readonly className: string;
  /** Since the last success. */
  readonly seconds: number;
}

export interface CheckAges {
  /** Classes that have missed two polls in a row. */
  readonly overdue: number;
  /** Of those, the ones that have waited longest. */
  readonly longest: readonly OverdueClass[];
  /** Age of the oldest answer among all classes; 0 where there are none. */
  readonly oldestSeconds: number;
}

/** A time series for each class would be too many, and those of classes that are well tell nothing. */
const MOST = 100;

export function checkAges(classes: readonly CheckedClass[], now: number): CheckAges {
  const overdue = classes.filter((each) => isOverdue(each, now)).sort((a, b) => since(a) - since(b));
  const oldest = classes.reduce((first, each) => Math.min(first, believedSince(each)), now);
  return {
    overdue: overdue.length,
    longest: overdue.slice(0, MOST).map((each) => {
      const { namespace, name } = refOfKey(each.key);
      return { namespace, className: name, seconds: secondsBetween(since(each), now) };
    }),
    oldestSeconds: secondsBetween(oldest, now),
  };
}

function isOverdue(each: CheckedClass, now: number): boolean {
  return now - believedSince(each) > 2 * each.interval;
}

/** What is stored is coarse while all is well: for as long, the class counts from this process's first look at it. */
function believedSince(each: CheckedClass): number {
  return each.isFailing ? since(each) : Math.max(since(each), each.knownSince);
}

function since({ lastSuccess, knownSince }: CheckedClass): number {
  return lastSuccess ?? knownSince;
}

function secondsBetween(from: number, to: number): number {
  return Math.max(0, Math.round((to - from) / 1_000));
}
