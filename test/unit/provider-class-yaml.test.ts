import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { parseYaml, type YamlNode } from "../../src/domain/provider-class/yaml-tree.ts";

/** Text, and the line that the error names. */
const REFUSED: readonly (readonly [text: string, line: number])[] = [
  ["a: b: c", 1],
  ["a: [x\nb: y", 2],
  ["a: [x, y", 1],
  ["a: {x: y]", 1],
  ["a: ]", 1],
  ["a: [,]", 1],
  ["a: 'x", 1],
  ['a: "x\ny', 2],
  ['a: "\\q"', 1],
  ['a: "\\xZZ"', 1],
  ['b: c\na: "\\ud800"', 2],
  ['a: "x\n---\n"', 2],
  ["a: |x\n b", 1],
  ["a: |\n\tb", 2],
  ["a:\n\tb: c", 2],
  ["a: b\n\tc", 2],
  ["- a\nb: c", 2],
  ["a:\n  - b\n c: d", 3],
  ["a: b\n c: d", 2],
  ["a: - b", 1],
  ["a: ? b", 1],
  ["? a\n- b: c", 2],
  ["key\nother: x", 2],
  ["a: @b", 1],
  ["%YAML 1.1\na: b", 2],
  ["a: !e!x y", 1],
  ["a: !<x y", 1],
  ["a: &", 1],
  ["b: c\na: &b-c!", 2],
  ["a: [b, - c]", 1],
  ["a: >2\n b\n c", 2],
  ["- - a\n - b", 2],
  ["a: |+\n\n  b\n x", 4],
  ['a: "b" c', 1],
  // The repair of an earlier part of the text keeps the line numbers.
  ['a: "b\nc"\nd: [\n]\ne: [f', 5],
  ["\ufeff# a\r\n\r\na: b: c", 3],
];

/** Returns only the values. A mapping becomes a list of pairs. */
function valuesOf(node: YamlNode): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "alias") return valuesOf(node.target);
  return node.kind === "sequence" ? node.items.map(valuesOf) : node.pairs.map(({ key, value }) => [valuesOf(key), valuesOf(value)]);
}

/** Texts that look like mistakes, and the values that the provider's library reads from them. */
const TAKEN: readonly (readonly [text: string, values: unknown])[] = [
  ["a: !!str,b", [["a", ""]]],
  ["a: !!st[r b", [["a", "b"]]],
  ["a: b\n---\n[", [["a", "b"]]],
  ["a: b\n...\n}", [["a", "b"]]],
  ["{a: b}}", [["a", "b"]]],
  ['{a: b}:"c"', [["a", "b"]]],
  ["  a: b\nc: d", [["a", "b"]]],
  ["a: {? }", [["a", [["", ""]]]]],
  ["a: 'b'#c", [["a", "b"]]],
  ["a: |#c\n b\n", [["a", "b\n"]]],
  ["a: [b, c,]", [["a", ["b", "c"]]]],
  [
    "a: {b, c}",
    [
      [
        "a",
        [
          ["b", ""],
          ["c", ""],
        ],
      ],
    ],
  ],
  ["a: [b: c]", [["a", [[["b", "c"]]]]]],
  ["? a\n: b", [["a", "b"]]],
  ["a:\n- b", [["a", ["b"]]]],
  ["a:\n>\n b", [["a", "b"]]],
  ["a: [b,\nc\n]", [["a", ["b", "c"]]]],
  ["- a: {\n\tb: c\n}", [[["a", [["b", "c"]]]]]],
  ['- a: "b\nc\n\n\td"', [[["a", "b c\nd"]]]],
  ["- a: 'b\n\nc'", [[["a", "b\nc"]]]],
  ['a: "b\\\nc\\\'"', [["a", "bc'"]]],
  ["a: \t[b]", [["a", ["b"]]]],
  ["# c\n\t# d\na: b", [["a", "b"]]],
  ['{"a":b}', [["a", "b"]]],
  [
    "{a:, b: c}",
    [
      ["a:", ""],
      ["b", "c"],
    ],
  ],
  ["{?a : b}", [["a", "b"]]],
  ["[-, a]", ["-", "a"]],
  ["&a: b", [["~", "b"]]],
  [
    "a: &x b\n*x: c",
    [
      ["a", "b"],
      ["b", "c"],
    ],
  ],
  ["   --- a: b", [["--- a", "b"]]],
  ["%YAML 1.1 # c\n---\na", "a"],
  ["%TAG !e! tag:example,2000:\n---\na: !e!x b", [["a", "b"]]],
  ["a: !<tag:yaml.org,2002:str> b", [["a", "b"]]],
  ["a: >+\n\n b\n\n  c\n d\n\n", [["a", "\nb\n\n c\nd\n\n"]]],
  ["\ufeffa: b", [["a", "b"]]],
  [
    "a: b\r\rc: d\u0085e: f",
    [
      ["a", "b"],
      ["c", "d"],
      ["e", "f"],
    ],
  ],
  ["a\n b\n\n c", "a b\nc"],
  ["'a\n\n  b '", "a\nb "],
  ['"a \\\n   b\\tc"', "a b\tc"],
  [">\n a\n b\n\n  c\n d\n\n", "a b\n\n c\nd\n"],
  ["|+\n a\n\n", "a\n\n"],
  ["- |2-\n    a\n   b\n", ["  a\n b"]],
];

describe("the YAML of classes", () => {
  for (const [text, line] of REFUSED) {
    test(`${JSON.stringify(text)} is refused, and line ${line} named`, () => {
      const parsed = parseYaml(text);
      assert.match(parsed.ok ? "" : parsed.error, new RegExp(`^yaml: line ${line}: .`));
    });
  }

  for (const [text, values] of TAKEN) {
    test(`${JSON.stringify(text)} is taken for ${JSON.stringify(values)}`, () => {
      const parsed = parseYaml(text);
      assert.deepEqual(parsed.ok ? valuesOf(parsed.value) : parsed.error, values);
    });
  }

  test("has none of its text in what is told", () => {
    for (const text of [
      "a: !ca[nary b",
      "a: !canary!x b",
      "a: 'canary",
      "a: &can!ary b",
      "canary: canary: b",
      "%TAG !canary! x\n%TAG !canary! x\n---",
      "[canary",
    ]) {
      const parsed = parseYaml(text);
      assert.doesNotMatch(parsed.ok ? "" : parsed.error, /can|ary/, text);
    }
    assert.deepEqual(parseYaml("a: *canary"), { ok: false, error: "yaml: unknown anchor 'canary' referenced" }, "a name is no value");
  });

  test("is up to 1,000 levels deep", () => {
    const lists = (depth: number) => `${"[".repeat(depth)}a${"]".repeat(depth)}`;
    const blocks = (depth: number) => `${"- ".repeat(depth)}a`;
    for (const nested of [lists, blocks]) {
      assert.equal(parseYaml(nested(1_000)).ok, true);
      assert.deepEqual(parseYaml(nested(1_003)), { ok: false, error: "yaml: line 1: nested deeper than 1000 levels" });
    }
  });
});
