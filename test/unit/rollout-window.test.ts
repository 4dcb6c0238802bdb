import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseWindow, type RestartWindow, windowAt } from "../../src/domain/schedule/restart-window.ts";

function windowOf(text: string): RestartWindow {
  const window = parseWindow(text);
  assert.ok(window.ok, window.ok ? "" : window.error);
  return window.value;
}

const at = (time: string): number => Date.parse(time);
const shown = (text: string, time: string): string => {
  const state = windowAt(windowOf(text), at(time));
  const moment = state.isOpen ? state.until : state.opensAt;
  return `${state.isOpen ? "until" : "opens"} ${Number.isFinite(moment) ? new Date(moment).toISOString().replace(":00.000Z", "Z") : "never"}`;
};

describe("a restart window", () => {
  const rows: readonly (readonly [string, string, string, string])[] = [
    ["is open at any time", "always", "2026-11-29T12:00:00Z", "until never"],
    ["is closed before its hour", "0 22 * * * for 4h", "2026-11-29T21:59:59Z", "opens 2026-11-29T22:00Z"],
    ["opens in its first millisecond", "0 22 * * * for 4h", "2026-11-29T22:00:00Z", "until 2026-11-30T02:00Z"],
    ["is open over midnight", "0 22 * * * for 4h", "2026-11-30T01:59:59.999Z", "until 2026-11-30T02:00Z"],
    ["closes with its last", "0 22 * * * for 4h", "2026-11-30T02:00:00Z", "opens 2026-11-30T22:00Z"],
    ["has a zone of its own", "0 22 * * * for 4h in Asia/Kolkata", "2026-11-29T16:30:00Z", "until 2026-11-29T20:30Z"],
    ["takes zones in any spelling", "0 22 * * * for 4h in asia/KOLKATA", "2026-11-29T16:00:00Z", "opens 2026-11-29T16:30Z"],
    ["knows days of the week", "0 22 * * MON-FRI for 4h", "2026-11-28T12:00:00Z", "opens 2026-11-30T22:00Z"],
    ["knows the second Tuesday", "0 1 * * TUE#2 for 2h", "2026-11-11T00:00:00Z", "opens 2026-12-08T01:00Z"],
    ["knows the last day of a month", "0 1 L * * for 2h", "2026-11-29T00:00:00Z", "opens 2026-11-30T01:00Z"],
    ["waits for a leap year", "0 0 29 2 * for 1h", "2026-11-29T00:00:00Z", "opens 2028-02-29T00:00Z"],
    ["is the next of several", "0 3 * * * for 1h; 0 1 * * * for 30m", "2026-11-29T02:00:00Z", "opens 2026-11-29T03:00Z"],
    ["is open as long as the longest of several", "0 3 * * * for 1h; 0 3 * * * for 2h", "2026-11-29T03:30:00Z", "until 2026-11-29T05:00Z"],
    ["opens after the gap of summer time", "30 2 * * * for 1h in Europe/Berlin", "2026-03-29T00:59:59Z", "opens 2026-03-29T01:00Z"],
    ["is as long in the gap", "30 1 * * * for 1h in Europe/Berlin", "2026-03-29T01:00:00Z", "until 2026-03-29T01:30Z"],
    ["comes once where the hour comes twice", "30 2 * * * for 30m in Europe/Berlin", "2026-10-25T01:15:00Z", "opens 2026-10-26T01:30Z"],
    ["goes through both hours where it is hourly", "0 * * * * for 30m in Europe/Berlin", "2026-10-25T00:45:00Z", "opens 2026-10-25T01:00Z"],
    ["counts stopwatch hours through the second", "0 1 * * * for 3h in Europe/Berlin", "2026-10-25T01:30:00Z", "until 2026-10-25T02:00Z"],
  ];
  for (const [what, text, time, expected] of rows) test(what, () => assert.equal(shown(text, time), expected));
});

describe("what is no restart window is refused, with what is wrong", () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ["", /"" is not "<cron> for <duration>"/],
    ["at night", /"at night" is not "<cron> for <duration>"/],
    ["0 22 * * * for 4h;", /"" is not "<cron> for <duration>"/],
    ["0 22 * * * in UTC", /is not "<cron> for <duration>"/],
    ["61 0 * * * for 1h", /"61 0 \* \* \*" is not a cron expression of five fields/],
    ["0 0 22 * * * for 1h", /is not a cron expression of five fields/],
    ["@daily for 1h", /"@daily" is not a cron expression/],
    ["0 0 15W * * for 1h", /is not a cron expression/],
    ["0 0 * * +MON for 1h", /is not a cron expression/],
    ["0 0 * * MOON for 1h", /is not a cron expression/],
    ["0 0 30 2 * for 1h", /"0 0 30 2 \*" never occurs/],
    ["0 0 31 4,6,9,11 * for 1h", /never occurs/],
    ["0 0 * * * for long", /"long" is not a duration/],
    ["0 0 * * * for 59s", /"59s" is not from 1m to 168h/],
    ["0 0 * * * for 169h", /"169h" is not from 1m to 168h/],
    ["0 0 * * * for 1h in Nowhere/City", /"Nowhere\/City" is not a time zone/],
    ["0 0 * * * for 1h in +02:00", /"\+02:00" is not a time zone/],
    [Array.from({ length: 8 }, () => "0 0 * * * for 1h").join(";"), /more than 7 times/],
    [`${"0 ".repeat(250)}* for 1h`, /longer than 500 characters/],
  ];
  for (const [text, problem] of rows) {
    test(JSON.stringify(text.slice(0, 40)), () => {
      const window = parseWindow(text);
      assert.ok(!window.ok);
      assert.match(window.error, problem);
    });
  }
});

describe("A18-12: whether a window ever comes", () => {
  test("is told by its days and months alone, without a walk through the years: all that are taken come", () => {
    const days = ["*", "31", "30", "29", "L", "1-7", "30,31"];
    const months = ["*", "2", "4", "2,4", "FEB", "1", "12"];
    const weekdays = ["*", "MON", "SUN#5", "FRI#L", "1-5", "TUE#1"];
    const texts = days.flatMap((day) => months.flatMap((month) => weekdays.map((weekday) => `0 3 ${day} ${month} ${weekday} for 1h`)));
    const taken = texts.flatMap((text) => {
      const window = parseWindow(text);
      return window.ok ? [[text, window.value] as const] : [];
    });

    assert.ok(taken.length > 250 && taken.length < texts.length, `${taken.length} of ${texts.length}`);
    const lost = taken.filter(([, window]) => {
      const state = windowAt(window, at("2026-01-01T00:00:00Z"));
      return !state.isOpen && !Number.isFinite(state.opensAt);
    });
    assert.deepEqual(lost, []);
    const refused = texts.filter((text) => !taken.some(([each]) => each === text));
    assert.deepEqual(
      refused.map((text) => text.slice(4, -7)),
      ["31 2 *", "31 4 *", "31 2,4 *", "31 FEB *", "30 2 *", "30 FEB *", "30,31 2 *", "30,31 FEB *"],
    );
  });
});
