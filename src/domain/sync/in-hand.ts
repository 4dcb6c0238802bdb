/**
 * The classes that a leader is reconciling ("in hand"), as it records them for the next leader. A class that was in hand when a process
 * died may have caused the death.
 */
import { isJsonObject, parsedJson } from "../json-object.ts";

export interface HandEntry {
  /** Form of the class when it was last in hand. An edit or a new refresh request changes the form. */
  readonly form: string;
  /** Number of processes that died while they had the class in hand, in any form. */
  readonly deaths: number;
  readonly isInHand: boolean;
  /** Whether no earlier leader had synced the class in this form. */
  readonly isNew?: boolean;
  /**
   * Another form in which the class was reconciled successfully after those deaths. An edit back to the old form counts the deaths again.
   */
  readonly passed?: string;
  /** Earliest time of the next attempt in this form (milliseconds since 1970). */
  readonly until?: number;
}

/** Why the worker does not try a class now. */
export interface Suspicion {
  /** Number of processes that died with the class in hand, or with new classes of its namespace in hand. */
  readonly deaths: number;
  /** Earliest time of the next attempt (milliseconds since 1970). */
  readonly until: number;
}

/** By `namespace/name`. */
export type Hands = ReadonlyMap<string, HandEntry>;

/** The record that a leader leaves for the next one. */
export interface Leaving {
  /** Version of the worker. Another version may have fixed what a worker died of. */
  readonly version: string;
  /** Whether the leader has not ended in an orderly way (yet). */
  readonly isLeading: boolean;
  readonly classes: Hands;
}

/** One death may be chance, even of a class that was tried alone: processes are also killed for other reasons. */
const DEATHS_TO_QUARANTINE = 3;
const FIRST_PAUSE_MS = 5 * 60_000;
const LONGEST_PAUSE_MS = 24 * 60 * 60_000;

/**
 * Returns for how long the worker does not try a class after so many deaths (milliseconds). The pause ends because the class may not be the
 * cause; if it is, another attempt costs one more death.
 */
function pauseAfter(deaths: number): number {
  if (deaths < DEATHS_TO_QUARANTINE) return 0;
  return Math.min(FIRST_PAUSE_MS * 4 ** (deaths - DEATHS_TO_QUARANTINE), LONGEST_PAUSE_MS);
}

/** The worker forgets the oldest entries above this number, because the text has to fit into an annotation. */
const MOST_ENTRIES = 256;

export function writeLeaving({ version, isLeading, classes }: Leaving): string {
  return JSON.stringify({ version, isLeading, classes: Object.fromEntries([...classes].slice(-MOST_ENTRIES)) });
}

/** Returns undefined if there is no record of this version. */
export function readLeaving(text: string, version: string): Leaving | undefined {
  const found = parsedJson(text);
  if (!isJsonObject(found) || found["version"] !== version) return undefined;
  const all = isJsonObject(found["classes"]) ? Object.entries(found["classes"]) : [];
  const classes = all.slice(-MOST_ENTRIES).flatMap(([key, value]) => {
    const entry = entryIn(value);
    return entry === undefined ? [] : [[key, entry] as const];
  });
  return { version, isLeading: found["isLeading"] === true, classes: new Map(classes) };
}

/**
 * Returns the record without these classes, which other leaders have in theirs now; null if nothing is left of it. A leader of a shard
 * takes only the classes that it serves.
 */
export function leavingWithout(text: string, version: string, isTaken: (classKey: string) => boolean): string | null {
  const left = readLeaving(text, version);
  const classes = new Map([...(left?.classes ?? [])].filter(([key]) => !isTaken(key)));
  return left === undefined || classes.size === 0 ? null : writeLeaving({ ...left, classes });
}

function entryIn(value: unknown): HandEntry | undefined {
  if (!isJsonObject(value)) return undefined;
  const { deaths, form, isInHand, isNew, passed, until } = value;
  if (typeof deaths !== "number" || typeof form !== "string") return undefined;
  return {
    form,
    deaths,
    isInHand: isInHand === true,
    isNew: isNew === true,
    ...(typeof passed === "string" ? { passed } : {}),
    ...(typeof until === "number" ? { until } : {}),
  };
}

/** Returns the classes under suspicion, from the record of a leader that is dead by `now` (milliseconds since 1970). */
export function suspectsOf({ classes }: Leaving, now: number): Hands {
  const counted = [...classes].map(([key, { isInHand, ...before }]) => {
    const deaths = before.deaths + Number(isInHand);
    // A later time comes from a clock that was ahead.
    const latest = now + pauseAfter(deaths);
    const until = isInHand ? latest : Math.min(before.until ?? 0, latest);
    return [key, { ...before, deaths, isInHand: false, until }] as const;
  });
  return new Map(counted.filter(([, entry]) => entry.deaths > 0 && isRemembered(entry, now)));
}

/**
 * Whether the class could have been tried within the last day. A deleted class is never tried again, so the worker forgets its deaths a day
 * after its next possible attempt.
 */
function isRemembered({ until = 0 }: HandEntry, now: number): boolean {
  return now < until + LONGEST_PAUSE_MS;
}

/**
 * Returns the earliest time of an attempt for a class with that `form` (milliseconds since 1970). A changed class counts as if it had one
 * death less. So the worker tries the first edit of a class in quarantine immediately, and a user who edits after each death gains only one
 * death in all.
 */
export function untilInForm(entry: HandEntry, form: string): number {
  const { deaths, until = 0 } = entry;
  return form === entry.form ? until : until - pauseAfter(deaths) + pauseAfter(deaths - 1);
}

/**
 * Returns the suspicion against the new classes of a namespace together: the deaths that involved suspects among them, each counted once
 * regardless of the number of suspects. Classes that an earlier leader had synced do not count, because a leader that is killed has many of
 * those in hand.
 */
export function namespaceSuspicion(suspects: Hands, namespace: string, now: number): Suspicion {
  const own = [...suspects].filter(([key]) => key.startsWith(`${namespace}/`)).map(([, entry]) => entry);
  const counted = own.filter((entry) => entry.isNew === true && entry.passed === undefined && isRemembered(entry, now));
  const times = new Set(counted.map(({ deaths, until = 0 }) => until - pauseAfter(deaths)));
  return { deaths: times.size, until: times.size === 0 ? 0 : Math.max(...times) + pauseAfter(times.size) };
}
