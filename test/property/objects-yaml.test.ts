import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";

import { MAX_OBJECTS_LENGTH, parseObjectEntry, parseObjectsArray, type RawObject } from "../../src/domain/provider-class/objects-yaml.ts";
import { parseYaml } from "../../src/domain/provider-class/yaml-tree.ts";
import { parseProviderClass } from "../../src/domain/read-class.ts";
import type { YamlEvent } from "../../src/domain/yaml/events.ts";
import { readYaml } from "../../src/domain/yaml/read-yaml.ts";
import { respellYaml } from "../../src/domain/yaml/respell-yaml.ts";

const OPTIONS = { owner: "ns/name", cloudName: "AzurePublicCloud" };

function parseClass(objects: string) {
  return parseProviderClass({ provider: "azure", parameters: { keyvaultName: "demo", tenantID: "t", objects } }, OPTIONS);
}

/** Text that is difficult for a YAML parser: YAML's punctuation, the words of a class, and any other text. */
const yamlish = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "array:",
        "- |",
        "- ",
        "objectName:",
        "objectType: secret",
        "objectVersionHistory: ",
        "\n",
        "  ",
        "\t",
        "#",
        "'",
        '"',
      ),
      fc.constantFrom(
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "?",
        "&a",
        "*a",
        "<<: ",
        "!!int",
        "!!binary ",
        "|",
        ">",
        "%",
        "@",
        "---\n",
        "...\n",
        "\r",
        "\0",
      ),
      fc.string({ unit: "binary", maxLength: 8 }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(""));

describe("the parser of objects", () => {
  test("answers any text, with a value or a sentence", () => {
    fc.assert(
      fc.property(fc.oneof(yamlish, fc.string({ unit: "binary", maxLength: 200 }), fc.json()), (text) => {
        for (const parsed of [parseObjectsArray(text), parseObjectEntry(text)]) {
          if (!parsed.ok) assert.match(parsed.error, /^yaml: ./s);
        }
        const parsed = parseClass(text);
        if (parsed.kind === "invalid") assert.ok(parsed.problem.message !== "" && parsed.problem.hint !== "");
      }),
      { numRuns: 3000 },
    );
  });

  /** Words that typed YAML would convert to numbers, dates, booleans, or null, and names as users write them. */
  const plainScalar = fc.oneof(
    fc.constantFrom("0755", "0o17", "0x1F", "1e3", "52e13000000000000000000000000000", "1_000", "+1", ".5", ".inf", ".nan"),
    fc.constantFrom("true", "Yes", "off", "2020-01-01", "1:30", "12e03", "00", "-0", "a b", "a#b", "a:b"),
    fc.stringMatching(/^[0-9a-f]{32}$/),
    fc.stringMatching(/^[A-Za-z0-9-]{1,40}$/).filter((text) => !/^(?:null|~|-+)$/i.test(text)),
  );

  const styles: Readonly<Record<string, (text: string) => string>> = {
    plain: (text) => text,
    single: (text) => `'${text}'`,
    double: (text) => JSON.stringify(text),
    commented: (text) => `${text}   # 'comment': [`,
    spaced: (text) => `   ${text}  `,
    literal: (text) => `|\n  ${text}`,
    folded: (text) => `>-\n  ${text}`,
  };

  const KEYS = ["objectName", "objectAlias", "objectVersion", "objectType", "objectFormat", "objectEncoding", "filePermission"] as const;

  const written = fc
    .uniqueArray(fc.record({ key: fc.constantFrom(...KEYS), text: plainScalar, style: fc.constantFrom(...Object.keys(styles)) }), {
      selector: ({ key }) => key,
      minLength: 1,
    })
    .map((fields) => ({
      expected: Object.fromEntries(fields.map(({ key, text }) => [key, text])) as Partial<RawObject>,
      block: fields.map(({ key, text, style }) => `${key}: ${styles[style]?.(text) ?? text}`).join("\n"),
      flow: `{${fields.map(({ key, text }) => `${key}: ${JSON.stringify(text)}`).join(", ")}}`,
    }));

  const present = (object: RawObject) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== "" && value !== 0));

  test("keeps every scalar as the text that was written, in every style", () => {
    fc.assert(
      fc.property(written, ({ expected, block, flow }) => {
        for (const text of [block, flow]) {
          const parsed = parseObjectEntry(text);
          assert.deepEqual(parsed.ok ? present(parsed.value) : parsed.error, expected);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("reads a list the same from block texts, JSON and comments between", () => {
    fc.assert(
      fc.property(fc.array(written, { maxLength: 6 }), (entries) => {
        const block = entries.map(({ block }) => `  - |\n${block.replaceAll(/^/gm, "      ")}\n  # between\n`).join("");
        const json = JSON.stringify({ array: entries.map((entry) => entry.block) });
        for (const text of [`array:\n${block}`, json]) {
          const list = parseObjectsArray(text);
          assert.ok(list.ok, JSON.stringify(list));
          const objects = list.value.map(parseObjectEntry).map((parsed) => (parsed.ok ? present(parsed.value) : parsed.error));
          assert.deepEqual(
            objects,
            entries.map(({ expected }) => expected),
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  test("respells no text into one with other values, or other lines", () => {
    const eventsOf = (text: string) => {
      const events: YamlEvent[] = [];
      readYaml(text, (event) => events.push(event));
      return events;
    };
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 4 }), (entries) => {
        const list = `array:\n${entries.map(({ block }) => `  - |\n${block.replaceAll(/^/gm, "      ")}\n  # between\n`).join("")}`;
        for (const text of [list, ...entries.flatMap(({ block, flow }) => [block, flow, flow.replaceAll(", ", ",\n")])]) {
          const events = eventsOf(text);
          assert.deepEqual(eventsOf(respellYaml(text)), events, text);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("answers the worst text of the greatest length in bounded time, and longer text at once", () => {
    const fill = (unit: string, size: number) => unit.repeat(Math.floor(size / unit.length));
    const worst = ["[", "{a: ", "- ", '"', "*a ", "a\n", "a: b\n", "<<: *a\n"];
    for (const unit of worst) {
      const started = process.cpuUsage();
      parseClass(`array: ${fill(unit, MAX_OBJECTS_LENGTH - 8)}`);
      const longer = parseClass(fill(unit, 1_048_576));
      const { user, system } = process.cpuUsage(started);
      // This bound detects quadratic work, which would take minutes. It does not measure speed.
      assert.ok((user + system) / 1e6 < 20, `${JSON.stringify(unit)}: ${(user + system) / 1e6} s`);
      assert.match(longer.kind === "invalid" ? longer.problem.message : "", /objects is longer than/);
    }
  });

  test("A1: takes time in proportion to the length of a text that repeats two tokens", () => {
    const tokens = [...Array.from("?:-[]{},|>'\"#%a \n"), "&a", "*a", "!a", "- ", ": ", "? ", "---", "\n  "];
    const pairs = tokens.flatMap((one) => tokens.map((other) => one + other));
    const secondsFor = (start: string, unit: string, size: number): number => {
      const text = start + unit.repeat(Math.ceil(size / unit.length));
      const began = process.cpuUsage();
      parseYaml(text);
      const { user, system } = process.cpuUsage(began);
      return (user + system) / 1e6;
    };
    for (const start of ["a:\n  - ", "["]) {
      for (const unit of pairs) {
        // Quadratic work takes a tenth of a second for the short text, and two seconds for the long one. Proportional work takes a tenth for it.
        if (secondsFor(start, unit, 32_768) < 0.04) continue;
        const seconds = secondsFor(start, unit, 131_072);
        assert.ok(seconds < 1, `${JSON.stringify(start + unit)}: ${seconds} s`);
      }
    }
  });

  test("makes no text longer than three times its length, however deep its lines would have to stand", () => {
    for (const indent of [10, 1_000, 100_000]) {
      const text = `${" ".repeat(indent)}a: "${"x\n".repeat(60_000)}"`;
      assert.ok(respellYaml(text).length <= 3 * text.length + indent);
    }
  });

  test("answers 1 MiB of anything in bounded time", () => {
    const units = [
      "[",
      "{a: ",
      "- ",
      "? ",
      '"',
      "'a\n",
      '"\\x41',
      "a: &a [*a]\n",
      "a:\n ",
      "- |\n a\n",
      "- # x\n",
      "#\n\n",
      "!x%41",
      "?\n",
      "[],",
      "\u{1f642}\n",
      // If js-yaml rejects a text, the code rewrites the text to a longer one and parses it again.
      "a: [\nb]\n",
      'a: "b\nc"\n',
      "- a: 'b\n\nc'#d\n",
      "a:\t[]\n",
      "x: |#\n",
      "{a:,",
      "[-,",
      "[?a, ",
      "[: ",
      "&a: ",
      "&a\n&b ",
      "- !a &b\n ",
      "[[]: ]: ",
      "\ufeff\n",
      "---\n",
      "- |\n\n\n",
      '"\\U00110000"\n',
    ];
    const repeated = units.map((unit) => `array: ${unit.repeat(Math.floor(1_048_576 / unit.length))}`);
    const longLines = ["'a' \t", "---a: ", "[b]\t#", "&a "].map(
      (unit) => `${" ".repeat(524_288)}${unit.repeat(Math.floor(524_288 / unit.length))}`,
    );
    for (const text of [...repeated, ...longLines]) {
      const started = process.cpuUsage();
      const parsed = parseYaml(text);
      const { user, system } = process.cpuUsage(started);
      if (!parsed.ok) assert.match(parsed.error, /^yaml: ./s);
      assert.ok((user + system) / 1e6 < 20, `${JSON.stringify(text.trimStart().slice(0, 20))}: ${(user + system) / 1e6} s`);
    }
  });
});
