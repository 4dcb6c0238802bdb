/**
 * Which classes a leader has in hand, as it leaves that to the next one. A class that was in hand when a process died may be what it died of.
 */
import { isJsonObject, parsedJson } from "../json-object.ts";

export interface HandEntry {
  /** What the class looked like when it was last in hand: an edit or a new refresh request makes another form of it. */
  readonly form: string;
  /** Processes that died while they had the class in hand, in whatever form. */
  readonly deaths: number;
  readonly isInHand: boolean;
  /** No earlier leader had synced it in this form. */
  readonly isNew?: boolean;
  /** The form in which it went well after those deaths, if that is another one: an edit back counts them again. */
  readonly passed?: string;
  /** Not to be tried before, in this form (milliseconds since 1970). */
  readonly until?: number;
}

/** Why a class is not tried now. */
export interface Suspicion {
  /** Processes that died of the class, or of new classes of its namespace. */
  readonly deaths: number;
  /** Not to be tried before (milliseconds since 1970). */
  readonly until: number;
}

/** By `namespace/name`. */
type Hands = ReadonlyMap<string, HandEntry>;

/** What a leader leaves. */
export interface Leaving {
  /** Of the worker. What one of another version died of may be mended. */
  readonly version: string;
  /** It has not ended in order, or not yet. */
  readonly isLeading: boolean;
  readonly classes: Hands;
}

/** One death may be chance, and so may one of a class that was tried alone: processes are killed for other reasons, too. */
const DEATHS_TO_QUARANTINE = 3;
const FIRST_PAUSE_MS = 5 * 60_000;
const LONGEST_PAUSE_MS = 24 * 60 * 60_000;

/** How long a class is left alone after so many deaths (milliseconds): it may be innocent, and costs one death more if it is not. */
function pauseAfter(deaths: number): number {
  if (deaths < DEATHS_TO_QUARANTINE) return 0;
  return Math.min(FIRST_PAUSE_MS * 4 ** (deaths - DEATHS_TO_QUARANTINE), LONGEST_PAUSE_MS);
}

/** More are forgotten, the oldest first: the text has to fit into an annotation. */
const MOST_ENTRIES = 256;

export function writeLeaving({ version, isLeading, classes }: Leaving): string {
  return JSON.stringify({ version, isLeading, classes: Object.fromEntries([...classes].slice(-MOST_ENTRIES)) });
}

/** Undefined where nothing of this version is there. */
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

/** Classes that are suspected, from what a leader left that is dead by `now` (milliseconds since 1970). */
export function suspectsOf({ classes }: Leaving, now: number): Hands {
  const counted = [...classes].map(([key, { isInHand, ...before }]) => {
    const deaths = before.deaths + Number(isInHand);
    // A later time is of a clock that was ahead.
    const latest = now + pauseAfter(deaths);
    const until = isInHand ? latest : Math.min(before.until ?? 0, latest);
    return [key, { ...before, deaths, isInHand: false, until }] as const;
  });
  return new Map(counted.filter(([, entry]) => entry.deaths > 0 && isRemembered(entry, now)));
}

/** A class that is gone is never tried again: its deaths are forgotten a day after it might have been. */
function isRemembered({ until = 0 }: HandEntry, now: number): boolean {
  return now < until + LONGEST_PAUSE_MS;
}

/**
 * When a class that looks like `form` may be tried (milliseconds since 1970). One that was changed counts as if it had met a death less: the
 * first edit of a class in quarantine is tried at once, and who edits after each death gains one death in all.
 */
export function untilInForm(entry: HandEntry, form: string): number {
  const { deaths, until = 0 } = entry;
  return form === entry.form ? until : until - pauseAfter(deaths) + pauseAfter(deaths - 1);
}

/**
 * What the new classes of a namespace are suspected of together: deaths that met suspects among them, each counted once however many of
 * them it met. Classes that an earlier leader had synced do not count: a leader that is killed has many of those in hand.
 */
export function namespaceSuspicion(suspects: Hands, namespace: string, now: number): Suspicion {
  const own = [...suspects].filter(([key]) => key.startsWith(`${namespace}/`)).map(([, entry]) => entry);
  const counted = own.filter((entry) => entry.isNew === true && entry.passed === undefined && isRemembered(entry, now));
  const times = new Set(counted.map(({ deaths, until = 0 }) => until - pauseAfter(deaths)));
  return { deaths: times.size, until: times.size === 0 ? 0 : Math.max(...times) + pauseAfter(times.size) };
}
