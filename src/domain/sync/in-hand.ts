/**
 * Which classes a leader has in hand, as it leaves that to the next one. A class that was in hand when a process died may be what it died of.
 */
import { isJsonObject } from "../json-object.ts";

export interface HandEntry {
  /** What the class looks like: an edit or a new refresh request makes it another one. */
  readonly form: string;
  /** Processes that died while they had the class in hand, in this form. */
  readonly deaths: number;
  readonly isInHand: boolean;
  /** Not to be tried before (milliseconds since 1970). */
  readonly until?: number;
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Undefined where nothing of this version is there. */
export function readLeaving(text: string, version: string): Leaving | undefined {
  const found = parsed(text);
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
  const { deaths, form, isInHand, until } = value;
  if (typeof deaths !== "number" || typeof form !== "string") return undefined;
  return { form, deaths, isInHand: isInHand === true, ...(typeof until === "number" ? { until } : {}) };
}

/** Classes that are suspected, from what a leader left that is dead by `now` (milliseconds since 1970). */
export function suspectsOf({ classes }: Leaving, now: number): Hands {
  const counted = [...classes].map(([key, { form, isInHand, ...before }]) => {
    const deaths = before.deaths + Number(isInHand);
    // A later time is of a clock that was ahead.
    const latest = now + pauseAfter(deaths);
    const until = isInHand ? latest : Math.min(before.until ?? 0, latest);
    return [key, { form, deaths, isInHand: false, until }] as const;
  });
  return new Map(counted.filter(([, { deaths }]) => deaths > 0));
}
