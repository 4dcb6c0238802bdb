import { Cron, CronPattern } from "croner";
import { parseDuration } from "../duration.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";

/** Times when restarts can begin: always, or for some time after each of several openings. */
export type RestartWindow = { readonly kind: "always" } | { readonly kind: "times"; readonly openings: readonly Opening[] };

interface Opening {
  /** Returns the first opening after the moment; infinite after the last one, ten thousand years from now. */
  readonly nextAfter: (moment: number) => number;
  readonly durationMs: number;
}

/** Unix milliseconds. `until` can be too early if windows overlap: the next query then returns the later end. */
export type WindowState = { readonly isOpen: true; readonly until: number } | { readonly isOpen: false; readonly opensAt: number };

/** Advice for messages. */
export const WINDOW_ADVICE = 'write "always" or times such as "0 22 * * MON-FRI for 4h in Europe/Berlin"';

/** One for each day of a week. */
const MOST_OPENINGS = 7;
export const MOST_WINDOW_CHARACTERS = 500;

/** Characters of the input that a warning shows; a warning has room for 120. */
const SHOWN = 24;

/**
 * Milliseconds. A shorter window can pass before the worker reaches the namespace. A window longer than a week makes no sense with cron
 * fields.
 */
const SHORTEST = 60_000;
const LONGEST = 7 * 24 * 3_600_000;

/**
 * Five fields with names, lists, ranges, steps, `L` and `#`. The meanings of further cron characters (`W`, `?`, `+`, `@`) differ between
 * tools.
 */
const CRON = /^(?:[\d*,/-]+\s+){2}[\d*,/L-]+\s+[\dA-Z*,/-]+\s+[\dA-Z*,/#-]+$/i;

const FORM = /^(?<cron>.+?)\s+for\s+(?<duration>\S+)(?:\s+in\s+(?<zone>\S+))?$/;

/** Whitespace in JavaScript; in RE2, `\s` matches only five characters. */
const BLANKS = String.raw`\s\v\p{Z}\x{feff}`;
const B = `[${BLANKS}]`;
const FIELDS = String.raw`([\d*,/-]+${B}+){2}[\d*,/L-]+${B}+[\dA-Za-z*,/-]+${B}+[\dA-Za-z*,/#-]+`;

/** RE2 pattern for the approximate form of a window, for policies, which cannot evaluate a calendar. */
export const WINDOW_SHAPE = String.raw`^${B}*always${B}*$|^${B}*${FIELDS}${B}+for${B}+[\d.a-zµ]+(${B}+in${B}+[A-Za-z][^${BLANKS}]*)?${B}*(;[^\x00]*)?$`;

const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Parses `always`, or `<cron> for <duration> in <time zone>`; separate several with `;`. The default zone is UTC. The error explains the
 * problem.
 */
export function parseWindow(text: string): Result<RestartWindow, string> {
  if (text.trim() === "always") return ok({ kind: "always" });
  if (text.length > MOST_WINDOW_CHARACTERS) return failed(`it is longer than ${MOST_WINDOW_CHARACTERS} characters`);
  const parts = text.split(";").map((part) => part.trim());
  if (parts.length > MOST_OPENINGS) return failed(`it has more than ${MOST_OPENINGS} times`);
  const openings: Opening[] = [];
  for (const part of parts) {
    const opening = parseOpening(part);
    if (!opening.ok) return opening;
    openings.push(opening.value);
  }
  return ok({ kind: "times", openings });
}

function parseOpening(text: string): Result<Opening, string> {
  const { cron = "", duration = "", zone: written = "UTC" } = FORM.exec(text)?.groups ?? {};
  if (cron === "") return failed(`${quoted(text, SHOWN)} is not "<cron> for <duration>"`);
  const durationMs = parseDuration(duration);
  if (!durationMs.ok) return failed(`${quoted(duration, SHOWN)} is not a duration`);
  if (durationMs.value < SHORTEST || durationMs.value > LONGEST) return failed(`${quoted(duration, SHOWN)} is not from 1m to 168h`);
  const timezone = zoneOf(written);
  if (timezone === undefined) return failed(`${quoted(written, SHOWN)} is not a time zone`);
  const parsed = parseCron(cron, timezone);
  return parsed.ok ? ok({ nextAfter: parsed.value, durationMs: durationMs.value }) : parsed;
}

function parseCron(text: string, timezone: string): Result<Opening["nextAfter"], string> {
  if (!CRON.test(text)) return failed(`${quoted(text, SHOWN)} is not a cron expression of five fields`);
  try {
    const pattern = new CronPattern(text, timezone, { mode: "5-part" });
    return hasDay(pattern) ? ok(nextOf(() => new Cron(text, { mode: "5-part", timezone }))) : failed(`${quoted(text, SHOWN)} never occurs`);
  } catch {
    return failed(`${quoted(text, SHOWN)} is not a cron expression of five fields`);
  }
}

/**
 * Searches the calendar once per opening and remembers the result. Creates a calendar only for the search, because the review of a pod
 * needs none, and a calendar in memory takes eighty kilobytes.
 */
function nextOf(create: () => Cron): Opening["nextAfter"] {
  let known: { readonly from: number; readonly next: number } | undefined;
  return (moment) => {
    if (known === undefined || moment < known.from || moment >= known.next) {
      known = { from: moment, next: create().nextRun(new Date(moment))?.getTime() ?? Number.POSITIVE_INFINITY };
    }
    return known.next;
  };
}

/**
 * Whether any of the months has one of the days. Every month has each day of the week, but a fifth such day in February comes only once in
 * 28 years.
 */
function hasDay({ starDOW, lastDayOfMonth, day, month }: CronPattern): boolean {
  if (!starDOW || lastDayOfMonth) return true;
  return LONGEST_MONTHS.some((days, index) => month[index] !== 0 && day.slice(0, days).some((each) => each !== 0));
}

/**
 * Returns the zone in its canonical spelling. IANA names are accepted in any case, and date libraries cache data for each spelling.
 * Undefined if there is no such zone. An offset is not a zone, because it has no daylight saving time.
 */
function zoneOf(written: string): string | undefined {
  if (!/^[A-Za-z]/.test(written)) return undefined;
  const key = written.toLowerCase();
  const known = zones.get(key);
  if (known !== undefined) return known;
  try {
    const zone = new Intl.DateTimeFormat("en", { timeZone: written }).resolvedOptions().timeZone;
    zones.set(key, zone);
    return zone;
  } catch {
    return undefined;
  }
}

/** By names in lower case, of which there are six hundred. */
const zones = new Map<string, string>();

/** Durations are elapsed time: across a change of daylight saving time, a window is as long as on other days. */
export function windowAt(window: RestartWindow, now: number): WindowState {
  if (window.kind === "always") return { isOpen: true, until: Number.POSITIVE_INFINITY };
  // For each opening, its first time that is not over yet.
  const times = window.openings.map(({ nextAfter, durationMs }) => {
    const since = nextAfter(now - durationMs);
    return { since, until: since + durationMs };
  });
  const untils = times.filter(({ since }) => since <= now).map(({ until }) => until);
  if (untils.length > 0) return { isOpen: true, until: Math.max(...untils) };
  return { isOpen: false, opensAt: Math.min(...times.map(({ since }) => since)) };
}

/** Returns the most calendar searches that one query of the window needs. */
export function timesOf(window: RestartWindow): number {
  return window.kind === "always" ? 0 : window.openings.length;
}
