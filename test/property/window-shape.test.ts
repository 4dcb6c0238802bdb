import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseWindow, WINDOW_SHAPE } from "../../src/domain/schedule/restart-window.ts";

/** The pattern as the API server reads it: its `\s` matches only the five blanks of ASCII. */
const SHAPE = new RegExp(WINDOW_SHAPE.replaceAll(String.raw`\s`, String.raw`\t\n\f\r `).replaceAll(String.raw`\x{`, String.raw`\u{`), "u");

const blank = fc.constantFrom(" ", "  ", "\t", " \n ", "\u00a0", "\f", "\v", "\u2003");
const oneOf = (text: string): fc.Arbitrary<string> => fc.constantFrom(...text.split(" "));
const minute = oneOf("0 30 */15 0-10 0,30 61 * x");
const hour = oneOf("22 */2 1-5 0,12 * 24 L");
const day = oneOf("* 1 L 31 1-7 */2 1,15 W ?");
const month = oneOf("* 2 JAN jan-mar 1-3 13");
const weekday = oneOf("* MON-FRI 5#2 sun 0,6 7 fri#L 5L");
const duration = oneOf("4h 90m 1h30m 1.5h .5h 60s 168h 3600000ms 60000000µs 60000000μs 4 5s 169h");
const zone = oneOf("Europe/Berlin UTC Etc/GMT+3 +02:00 -0330 utc Asia/Kathmandu Nowhere America/Port-au-Prince");

const opening = fc
  .record({
    fields: fc.tuple(minute, hour, day, month, weekday),
    duration,
    zone: fc.option(zone),
    blanks: fc.array(blank, { minLength: 8, maxLength: 8 }),
  })
  .map(({ fields, duration: length, zone: where, blanks }) => {
    const words = [...fields, "for", length, ...(where === null ? [] : ["in", where])];
    return words.map((word, index) => `${word}${blanks[index] ?? " "}`).join("");
  });

const written = fc.oneof(
  { weight: 1, arbitrary: fc.tuple(blank, blank).map(([before, after]) => `${before}always${after}`) },
  { weight: 20, arbitrary: fc.array(opening, { minLength: 1, maxLength: 3 }).map((openings) => openings.join(";")) },
);

describe("the pattern that tells a window", () => {
  test("takes every window that the parser takes: a policy refuses none that the webhook admits", (context) => {
    let windows = 0;
    fc.assert(
      fc.property(written, (text) => {
        if (!parseWindow(text).ok) return;
        windows += 1;
        assert.match(text, SHAPE);
      }),
      { numRuns: 20_000 },
    );
    context.diagnostic(`${windows} windows among 20000 texts`);
    assert.ok(windows > 500);
  });

  test("takes none of these", () => {
    for (const text of ["", "never", "at night", "0 22 * * 1", "0 22 * * 1 for", "22 * * 1 for 4h"]) assert.doesNotMatch(text, SHAPE, text);
  });
});
