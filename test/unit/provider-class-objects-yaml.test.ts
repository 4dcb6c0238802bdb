import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { parseObjectEntry, parseObjectsArray } from "../../src/domain/provider-class/objects-yaml.ts";

/**
 * Text, and the result of gopkg.in/yaml.v3 v3.0.1 (the provider's library): a value without its zero fields, or an error. Syntax
 * errors are those of js-yaml.
 */
type Row = readonly [text: string, expected: unknown];

const ARRAYS: readonly Row[] = [
  ["array:\n  - x", ["x"]],
  ['{"array":["objectName: a\\nobjectType: secret"]}', ["objectName: a\nobjectType: secret"]],
  ["Array:\n - x", []],
  ["array:\n - null\n - ~\n -\n - 5\n - true\n - 0755\n - 2020-01-01\n - 1e3", ["5", "true", "0755", "2020-01-01", "1e3"]],
  ["array: []", []],
  ["array:", []],
  ["array: foo", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `foo` into []string"],
  ["array: {a: b}", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!map into []string"],
  ["foo", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `foo` into types.StringArray"],
  ["5", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!int `5` into types.StringArray"],
  ["~", []],
  ["array: [*x]", "yaml: unknown anchor 'x' referenced"],
  ["array: &a [*a]", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string"],
  ["x: &x foo\narray: [*x, *x]", ["foo", "foo"]],
  ["array: 1.5", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!float `1.5` into []string"],
  ["array: true", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!bool `true` into []string"],
  ["array: !!int q", "yaml: cannot decode !!str `q` as a !!int"],
  ["array: [[a]]", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string"],
  ["array: [{a: b, a: c}]", 'yaml: unmarshal errors:\n  line 1: mapping key "a" already defined at line 1'],
  ["array: a\narray: b", 'yaml: unmarshal errors:\n  line 2: mapping key "array" already defined at line 1'],
  ["array: [a]\n---\narray: [b]", ["a"]],
  ["array: [a]\n...\n{{{", ["a"]],
  ["<<: {array: [x]}", ["x"]],
  ["<<: [x]", "yaml: map merge requires map or sequence of maps as the value"],
  ["array: [!!binary aGk=]", ["hi"]],
  ["array: [\u0007]", "yaml: control characters are not allowed"],
  ["array:\r\n - a\r\n - b", ["a", "b"]],
  ["array: [a: b]", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!map into string"],
  ["array: 2020-01-01 1:2:3", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!timestamp `2020-01...` into []string"],
];
const ENTRIES: readonly Row[] = [
  ["objectName: 123", { objectName: "123" }],
  [
    "objectVersion: 52e13000000000000000000000000000\nfilePermission: 0755",
    { objectVersion: "52e13000000000000000000000000000", filePermission: "0755" },
  ],
  ["objectName: null", {}],
  ["objectName: ~", {}],
  ["objectName:", {}],
  ["objectName: true", { objectName: "true" }],
  ["objectName: 2020-01-01", { objectName: "2020-01-01" }],
  ["objectName: 1:30", { objectName: "1:30" }],
  ["objectName: 0x1F", { objectName: "0x1F" }],
  ["objectName: 1_000", { objectName: "1_000" }],
  ["objectName: 'null'", { objectName: "null" }],
  ["objectname: a", {}],
  ["objectVersionHistory: 5", { objectVersionHistory: 5 }],
  ["objectVersionHistory: 5.0", { objectVersionHistory: 5 }],
  ["objectVersionHistory: 5.9", { objectVersionHistory: 5 }],
  ["objectVersionHistory: 1_0", { objectVersionHistory: 10 }],
  ["objectVersionHistory: 1e3", { objectVersionHistory: 1000 }],
  ["objectVersionHistory: '5'", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `5` into int32"],
  ["objectVersionHistory: 2147483647", { objectVersionHistory: 2147483647 }],
  ["objectVersionHistory: 2147483648", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!int `2147483648` into int32"],
  ["objectVersionHistory: -3", { objectVersionHistory: -3 }],
  ["objectVersionHistory: +7", { objectVersionHistory: 7 }],
  ["objectVersionHistory: 0x10", { objectVersionHistory: 16 }],
  ["objectVersionHistory: 010", { objectVersionHistory: 8 }],
  ["objectVersionHistory: 0o10", { objectVersionHistory: 8 }],
  ["objectVersionHistory: 0b11", { objectVersionHistory: 3 }],
  ["objectVersionHistory: 08", { objectVersionHistory: 8 }],
  ["objectVersionHistory: .5", {}],
  ["objectVersionHistory: .inf", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!float `.inf` into int32"],
  ["objectVersionHistory: .nan", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!float `.nan` into int32"],
  ["objectVersionHistory: 2020-01-01", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!timestamp `2020-01-01` into int32"],
  ["objectVersionHistory: true", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!bool `true` into int32"],
  ["objectVersionHistory: abcdefghijklm", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `abcdefg...` into int32"],
  ["objectVersionHistory: [1]", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into int32"],
  ["objectVersionHistory: {a: 1}", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!map into int32"],
  ["objectVersionHistory: !!int '5'", { objectVersionHistory: 5 }],
  ["objectVersionHistory: !!float 5", { objectVersionHistory: 5 }],
  ["objectVersionHistory: !!str 5", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `5` into int32"],
  ["objectVersionHistory: null", {}],
  ["objectVersionHistory: 99999999999999999999999", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!float `9999999...` into int32"],
  ["objectVersionHistory: 1e400", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `1e400` into int32"],
  [
    "objectName: a\nobjectType: x\nobjectName: b\nobjectName: c",
    'yaml: unmarshal errors:\n  line 3: mapping key "objectName" already defined at line 1\n  line 4: mapping key "objectName" already defined at line 1\n  line 4: mapping key "objectName" already defined at line 3',
  ],
  ["objectName: [a]", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string"],
  ["objectName: {a: b}", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!map into string"],
  ["foo: {a: 1, a: 2}\nobjectName: x", { objectName: "x" }],
  ["- a", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into types.KeyVaultObject"],
  ["abc", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `abc` into types.KeyVaultObject"],
  ["", {}],
  ["# only", {}],
  ["objectName: a # c", { objectName: "a" }],
  ["objectName: a#c", { objectName: "a#c" }],
  ["objectName: |\n a\n b", { objectName: "a\nb" }],
  ["x: &x {objectName: a, objectType: b}\n<<: *x\nobjectType: c", { objectName: "a", objectType: "c" }],
  ["<<: [{objectName: a}, {objectName: b, objectType: c}]", { objectName: "a", objectType: "c" }],
  ["objectName: &n foo\nobjectAlias: *n", { objectName: "foo", objectAlias: "foo" }],
  ["objectName: *n", "yaml: unknown anchor 'n' referenced"],
  ["~: 1\nobjectName: q", { objectName: "q" }],
  ["[a]: 1\nobjectName: q", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string"],
  ["objectName: a: b", "yaml: line 1: bad indentation of a mapping entry"],
  ["objectName: 'a", "yaml: line 1: unexpected end of the stream within a single quoted scalar"],
  ["objectName: @a", "yaml: line 1: bad indentation of a mapping entry"],
  ["objectName: !!int abc", "yaml: cannot decode !!str `abc` as a !!int"],
  ["objectName a", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `objectN...` into types.KeyVaultObject"],
  ["objectName: a\nobjectType", "yaml: line 2: expected ':' after a mapping key"],
];

describe("the list of objects", () => {
  for (const [text, expected] of ARRAYS) {
    test(`${JSON.stringify(text)} is ${JSON.stringify(expected)}`, () => {
      const parsed = parseObjectsArray(text);
      assert.deepEqual(parsed.ok ? parsed.value : parsed.error, expected);
    });
  }
});

describe("an entry of objects", () => {
  for (const [text, expected] of ENTRIES) {
    test(`${JSON.stringify(text)} is ${JSON.stringify(expected)}`, () => {
      const parsed = parseObjectEntry(text);
      const set = parsed.ok
        ? Object.fromEntries(Object.entries(parsed.value).filter(([, value]) => value !== "" && value !== 0))
        : parsed.error;
      assert.deepEqual(set, expected);
    });
  }
});
