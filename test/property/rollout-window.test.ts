import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseWindow, windowAt } from "../../src/domain/schedule/restart-window.ts";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

/**
 * Changes to and from daylight saving time (Unix milliseconds): by an hour, by half an hour, at midnight, and in both hemispheres.
 * Includes zones without such changes.
 */
const CHANGES: readonly (readonly [string, readonly string[]])[] = [
  ["Europe/Berlin", ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"]],
  ["America/New_York", ["2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"]],
  ["America/St_Johns", ["2026-03-08T05:30:00Z", "2026-11-01T04:30:00Z"]],
  ["Australia/Lord_Howe", ["2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"]],
  ["Africa/Cairo", ["2026-04-23T22:00:00Z", "2026-10-29T21:00:00Z"]],
  ["America/Santiago", ["2026-04-05T03:00:00Z", "2026-09-06T04:00:00Z"]],
  ["Asia/Kathmandu", ["2026-06-01T00:00:00Z"]],
  ["UTC", ["2026-06-01T00:00:00Z"]],
];

interface Wall {
  readonly day: string;
  readonly weekday: number;
  readonly minuteOfDay: number;
}

/** The wall clock of a zone, read minute by minute. It is slow, but does no arithmetic with offsets. */
class WallClock {
  readonly #format: Intl.DateTimeFormat;
  readonly #known = new Map<number, Wall>();

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
  }

  at(moment: number): Wall {
    const known = this.#known.get(moment);
    if (known !== undefined) return known;
    const [day = "", time = ""] = this.#format.format(moment).split(" ");
    const [hours = 0, minutes = 0] = time.split(":").map(Number);
    const wall = { day, weekday: new Date(`${day}T00:00:00Z`).getUTCDay(), minuteOfDay: hours * 60 + minutes };
    this.#known.set(moment, wall);
    return wall;
  }
}

const clocks = new Map(CHANGES.map(([zone]) => [zone, new WallClock(zone)]));

interface Daily {
  readonly zone: string;
  readonly minuteOfDay: number;
  readonly weekdays: readonly number[];
  readonly minutes: number;
}

/** Whether the window opened within its length before `now`. Reads the wall clock of each minute. */
function isOpenByReading({ zone, minuteOfDay, weekdays, minutes }: Daily, now: number): boolean {
  const clock = clocks.get(zone);
  assert.ok(clock);
  const last = Math.floor(now / MINUTE) * MINUTE;
  for (let moment = last; moment > now - minutes * MINUTE; moment -= MINUTE) {
    const wall = clock.at(moment);
    const before = clock.at(moment - MINUTE);
    if (!weekdays.includes(wall.weekday)) continue;
    // The window opens at its minute. If a gap skips that minute, the window opens at the first minute after the gap on the same day.
    const from = before.day === wall.day ? before.minuteOfDay : -1;
    const isSkipped = from < minuteOfDay && minuteOfDay < wall.minuteOfDay && wall.minuteOfDay - from > 1;
    if (wall.minuteOfDay !== minuteOfDay && !isSkipped) continue;
    if (!hasComeBefore({ clock, moment, wall })) return true;
  }
  return false;
}

/** Whether the same minute of the same day occurred in the three hours before, because the clock was set back. */
function hasComeBefore({ clock, moment, wall }: { readonly clock: WallClock; readonly moment: number; readonly wall: Wall }): boolean {
  for (let earlier = moment - MINUTE; earlier >= moment - 180 * MINUTE; earlier -= MINUTE) {
    const { day, minuteOfDay } = clock.at(earlier);
    if (day === wall.day && minuteOfDay === wall.minuteOfDay) return true;
  }
  return false;
}

const daily = fc.record({
  place: fc.constantFrom(...CHANGES.flatMap(([zone, changes]) => changes.map((change) => ({ zone, change: Date.parse(change) })))),
  minuteOfDay: fc.oneof(fc.integer({ min: 0, max: 1_439 }), fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1_380, max: 1_439 })),
  weekdays: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 7 }),
  minutes: fc.integer({ min: 1, max: 600 }),
  offset: fc.integer({ min: -1.5 * DAY, max: 1.5 * DAY }),
});

describe("a daily window, near changes of summer time", () => {
  test("is open exactly when a reader of the wall clock says so", () => {
    let open = 0;
    fc.assert(
      fc.property(daily, ({ place: { zone, change }, minuteOfDay, weekdays, minutes, offset }) => {
        const cron = `${minuteOfDay % 60} ${Math.floor(minuteOfDay / 60)} * * ${weekdays.join(",")}`;
        const window = parseWindow(`${cron} for ${minutes}m in ${zone}`);
        assert.ok(window.ok, window.ok ? "" : window.error);
        const now = change + offset;

        const { isOpen } = windowAt(window.value, now);

        assert.equal(
          isOpen,
          isOpenByReading({ zone, minuteOfDay, weekdays, minutes }, now),
          `${cron} for ${minutes}m in ${zone} at ${new Date(now).toISOString()}`,
        );
        if (isOpen) open += 1;
      }),
      { numRuns: 3_000 },
    );
    assert.ok(open > 200, `${open} were open`);
  });

  test("opens at the moment that was promised, and not before; and closes when it was said", () => {
    fc.assert(
      fc.property(daily, ({ place: { zone, change }, minuteOfDay, weekdays, minutes, offset }) => {
        const window = parseWindow(
          `${minuteOfDay % 60} ${Math.floor(minuteOfDay / 60)} * * ${weekdays.join(",")} for ${minutes}m in ${zone}`,
        );
        assert.ok(window.ok);
        const state = windowAt(window.value, change + offset);
        const moment = state.isOpen ? state.until : state.opensAt;

        assert.ok(moment > change + offset);
        assert.equal(windowAt(window.value, moment - 1).isOpen, state.isOpen);
        assert.equal(windowAt(window.value, moment).isOpen, !state.isOpen);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("any text", () => {
  const words = fc.constantFrom(
    "for",
    "in",
    ";",
    "always",
    "*",
    "0",
    "59",
    "L",
    "MON",
    "#5",
    "1h",
    "UTC",
    "@daily",
    "*/7",
    "1-5",
    ",",
    " ",
  );

  test("is a window that opens some day, or refused with a reason; never an error of ours", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 600 }),
          fc.array(words, { maxLength: 30 }).map((all) => all.join(" ")),
        ),
        (text) => {
          const window = parseWindow(text);
          if (!window.ok) return assert.ok(window.error.length > 0 && window.error.length < 120, window.error);
          const state = windowAt(window.value, Date.parse("2026-11-30T00:00:00Z"));
          return assert.ok(state.isOpen || Number.isFinite(state.opensAt));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
