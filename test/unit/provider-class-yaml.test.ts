import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { parseYaml } from "../../src/domain/provider-class/yaml-tree.ts";

/** Text, and what gopkg.in/yaml.v3 v3.0.1 (the provider's library) says of it. */
const ERRORS: readonly (readonly [text: string, error: string])[] = [
  ["a: b: c", "yaml: mapping values are not allowed in this context"],
  ["a\n b: c\nd", "yaml: line 2: mapping values are not allowed in this context"],
  ["a: [x\nb: y", "yaml: line 1: did not find expected ',' or ']'"],
  ["a: [x, y", "yaml: line 1: did not find expected ',' or ']'"],
  ["a: {x: y", "yaml: line 1: did not find expected ',' or '}'"],
  ["a: {x: y]", "yaml: did not find expected ',' or '}'"],
  ["a: ]", "yaml: did not find expected node content"],
  ["a: [,]", "yaml: did not find expected node content"],
  ["a: 'x", "yaml: found unexpected end of stream"],
  ['a: "x\ny', "yaml: line 2: found unexpected end of stream"],
  ['a: "\\q"', "yaml: found unknown escape character"],
  ['a: "\\xZZ"', "yaml: did not find expected hexdecimal number"],
  ['a: "\\UFFFFFFFF"', "yaml: found invalid Unicode character escape code"],
  ['a: "x\n---\n"', "yaml: line 2: found unexpected document indicator"],
  ["a: |x\n b", "yaml: did not find expected comment or line break"],
  ["a: |0\n b", "yaml: found an indentation indicator equal to 0"],
  ["a: |\n\tb", "yaml: line 2: found a tab character where an indentation space is expected"],
  ["a:\n\tb: c", "yaml: line 2: found character that cannot start any token"],
  ["a: b\n\tc", "yaml: line 2: found a tab character that violates indentation"],
  ["- a\nb: c", "yaml: line 1: did not find expected '-' indicator"],
  ["a:\n  - b\n c: d", "yaml: line 2: did not find expected key"],
  ["a: b\n c: d", "yaml: line 2: mapping values are not allowed in this context"],
  ["a: - b", "yaml: block sequence entries are not allowed in this context"],
  ["a: ? b", "yaml: mapping keys are not allowed in this context"],
  ["? a\n- b: c", "yaml: line 1: did not find expected key"],
  ["key\nother: x", "yaml: line 2: mapping values are not allowed in this context"],
  ["a: @b", "yaml: found character that cannot start any token"],
  ["a: `b`", "yaml: found character that cannot start any token"],
  ["a: %b", "yaml: found character that cannot start any token"],
  ["%FOO\n---", "yaml: found unknown directive name"],
  ["%YAML 1.2\n---", "yaml: found incompatible YAML document"],
  ["%YAML 1.1\n%YAML 1.1\n---", "yaml: line 1: found duplicate %YAML directive"],
  ["%YAML 123.1\n---", "yaml: found extremely long version number"],
  ["%YAML 1\n---", "yaml: did not find expected digit or '.' character"],
  ["%TAG x\n---", "yaml: did not find expected '!'"],
  ["%TAG !a! tag:a,2000:\n%TAG !a! tag:b,2000:\n---", "yaml: line 1: found duplicate %TAG directive"],
  ["% \n", "yaml: could not find expected directive name"],
  ["%YAML 1.1\na: b", "yaml: line 2: mapping values are not allowed in this context"],
  ["a: !e!x y", "yaml: found undefined tag handle"],
  ["a: !<x y", "yaml: did not find the expected '>'"],
  ["a: !x%zz y", "yaml: did not find URI escaped octet"],
  ["a: !x%ff y", "yaml: found an incorrect leading UTF-8 octet"],
  ["a: &", "yaml: did not find expected alphabetic or numeric character"],
  ["a: *", "yaml: did not find expected alphabetic or numeric character"],
  ["a: *b", "yaml: unknown anchor 'b' referenced"],
  ["a: &b-c!", "yaml: did not find expected alphabetic or numeric character"],
  ["a: [b, - c]", "yaml: did not find expected node content"],
  ["a: [b\n---\n", "yaml: line 1: did not find expected ',' or ']'"],
  ["a: >2\n b\n c", "yaml: line 1: did not find expected key"],
  ["{a: b}: c: d", "yaml: mapping values are not allowed in this context"],
  ["[a\n]: b", "yaml: line 2: mapping values are not allowed in this context"],
  ["a: 'it''s'\n 'x'", "yaml: line 1: did not find expected key"],
  ["\u0001", "yaml: control characters are not allowed"],
  ["a: [b]]", "yaml: did not find expected key"],
  ["- - a\n - b", "yaml: line 1: did not find expected '-' indicator"],
  ["a: {b, c", "yaml: line 1: did not find expected ',' or '}'"],
  [": a\n b", "yaml: did not find expected key"],
  ["a: |+\n\n  b\n x", "yaml: line 3: did not find expected key"],
  ['a: "b" c', "yaml: did not find expected key"],
  ["a: 'b' c: d", "yaml: mapping values are not allowed in this context"],
];

/** Texts that look like mistakes, and that the library takes all the same. */
const ACCEPTED: readonly string[] = [
  "a: !!str,b",
  "a: b\n---\n[",
  "a: b\n...\n}",
  "a: {? }",
  "a: 'b'#c",
  "a: [b, c,]",
  "a: {b, c}",
  "a: [b: c]",
  "? a\n: b",
  "a:\n- b",
  "# c\n\t# d\na: b",
  '"a": b',
  '{"a":b}',
  "%YAML 1.1 # c\n---\na",
  "%TAG !e! tag:example,2000:\n---\na: !e!x b",
  "a: !<tag:yaml.org,2002:str> b",
  "a: >+\n\n b\n\n  c\n d\n\n",
  "a: 'b\u2028 c'",
  "\ufeffa: b",
];

describe("the YAML of classes", () => {
  for (const [text, error] of ERRORS) {
    test(`${JSON.stringify(text)} is refused: ${error}`, () => assert.deepEqual(parseYaml(text), { ok: false, error }));
  }

  for (const text of ACCEPTED) test(`${JSON.stringify(text)} is accepted`, () => assert.equal(parseYaml(text).ok, true));

  test("is as deep as the provider's library lets it be", () => {
    const lists = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
    assert.equal(parseYaml(lists(10_000)).ok, true);
    assert.deepEqual(parseYaml(lists(10_001)), { ok: false, error: "yaml: exceeded max depth of 10000" });
  });

  test("knows a key by the colon in the next 1,024 characters", () => {
    assert.equal(parseYaml(`${"a".repeat(1_024)}: b`).ok, true);
    assert.deepEqual(parseYaml(`${"a".repeat(1_025)}: b`), { ok: false, error: "yaml: mapping values are not allowed in this context" });
  });

  test("is folded, chomped and joined as written", () => {
    const valueOf = (text: string) => {
      const tree = parseYaml(text);
      assert.ok(tree.ok && tree.value.kind === "scalar");
      return tree.value.value;
    };
    assert.equal(valueOf("a\n b\n\n c"), "a b\nc");
    assert.equal(valueOf("'a\n\n  b '"), "a\nb ");
    assert.equal(valueOf('"a \\\n   b\\tc"'), "a b\tc");
    assert.equal(valueOf(">\n a\n b\n\n  c\n d\n\n"), "a b\n\n c\nd\n");
    assert.equal(valueOf("|+\n a\n\n"), "a\n\n");
    assert.equal(valueOf("|2-\n   a\n  b\n"), " a\nb");
  });
});
