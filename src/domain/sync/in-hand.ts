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

/** A class is not tried again after so many deaths. One may be chance; before the second it was tried alone. */
export const DEATHS_TO_QUARANTINE = 2;

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
  const { deaths, form, isInHand } = value;
  return typeof deaths === "number" && typeof form === "string" ? { form, deaths, isInHand: isInHand === true } : undefined;
}

/** Classes that are suspected, from what a leader left that is dead by now. */
export function suspectsOf({ classes }: Leaving): Hands {
  const counted = [...classes].map(
    ([key, entry]) => [key, { ...entry, deaths: entry.deaths + Number(entry.isInHand), isInHand: false }] as const,
  );
  return new Map(counted.filter(([, { deaths }]) => deaths > 0));
}
