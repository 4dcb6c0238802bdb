import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { createLogger } from "../../src/runtime/logger.ts";

/** Returns the output of the text format for one call. */
function written(message: string, fields: Readonly<Record<string, unknown>>): string {
  const out: string[] = [];
  createLogger({ level: "info", format: "text", name: "sync" }, { write: (text) => void out.push(text) }).warn(message, fields);
  return out.join("");
}

/** The fields of a line as a logfmt reader parses them. */
function read(line: string): ReadonlyMap<string, string> {
  const fields = [...line.matchAll(/ ([^\s="]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)/g)];
  return new Map(fields.map(([, name = "", value = ""]) => [name, value.startsWith('"') ? String(JSON.parse(value)) : value]));
}

describe("the log as text", () => {
  test("S15: is one line for each entry and keeps what it prints from being taken for other fields", () => {
    const forged = 'no such object\n2026-01-01T00:00:00Z INFO  class synced class=team-a/db reason="Synced"';

    const text = written("class not synced", { class: "team-a/app", detail: forged, error: new Error(`refused: ${forged}`) });

    assert.equal(text.trimEnd().split("\n").length, 1, text);
    assert.equal(read(text).get("class"), "team-a/app");
    assert.equal(read(text).get("detail"), forged);
    assert.equal(read(text).has("reason"), false);
    assert.equal(read(text).get("error.message"), `refused: ${forged}`);
  });

  test("P17: says what an error is before what kind of error it is", () => {
    const line = written("the process ends because of an error", { error: new TypeError("the port is taken") });

    assert.match(line, / the process ends because of an error error\.message="the port is taken" error\.name=TypeError\n$/);
  });

  test("sends nothing to a terminal that it acts on, whatever the values are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const text = written("class not synced", { detail: value, list: [value], inner: { deep: value } });

        // Control characters of both sets (C0 and C1), and characters that break lines or reverse their direction.
        assert.doesNotMatch(text.slice(0, -1), /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
        assert.equal(read(text).get("detail"), value);
      }),
    );
    // The control: the pattern finds such characters.
    assert.match("\u001b[2J", /\p{Cc}/u);
  });

  test("shows plain words as they are", () => {
    const text = written("retry", { key: "team-a/app", failures: 2, last: true, secrets: ["a", "b"], empty: "" });

    assert.match(text, /^\S+ WARN {2}retry key=team-a\/app failures=2 last=true secrets="\[\\"a\\",\\"b\\"\]" empty=""\n$/);
  });
});
