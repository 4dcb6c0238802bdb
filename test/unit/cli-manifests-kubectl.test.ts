import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readManifests } from "../../src/cli/manifest/documents.ts";
import { toYaml } from "../../src/cli/manifest/yaml.ts";

const HEAD = "apiVersion: v1\nkind: X\n";
const read = (text: string) => {
  const { documents, problems, warnings } = readManifests("web.yaml", text);
  const lines = (found: typeof problems) => found.map(({ place, message }) => `${place.line}: ${message}`);
  return { objects: documents.map(({ object }) => object), problems: lines(problems), warnings: lines(warnings ?? []) };
};
const fieldsOf = (text: string) => {
  const { objects, problems } = read(`${HEAD}${text}`);
  assert.deepEqual(problems, []);
  const [{ apiVersion: _, kind: __, ...fields } = {}] = objects;
  return fields;
};

describe("manifests are read as kubectl reads them", () => {
  test("K1: a plain point is text, in a list, as a value and as a key", () => {
    assert.deepEqual(fieldsOf('args: [.]\npath: .\nfields: {"f:x": {., f:y: 1}}\n'), {
      args: ["."],
      path: ".",
      fields: { "f:x": { ".": null, "f:y": 1 } },
    });
  });

  test("K2: lines of a quoted text need no indentation", () => {
    assert.deepEqual(fieldsOf("a: \"one\ntwo\n\nthree\"\nb:\n  c: 'four\n  five'\n"), { a: "one two\nthree", b: { c: "four five" } });
  });

  test("K2: what closes a flow collection needs no indentation", () => {
    assert.deepEqual(fieldsOf("a: [1,\n2\n]\nb: {\n  c: 3\n}\n"), { a: [1, 2], b: { c: 3 } });
  });

  test("K2: of a key that stands twice the last one counts, and a warning names its line", () => {
    const { objects, problems, warnings } = read(`${HEAD}metadata:\n  name: a\n  labels: {b: c}\n  name: d\n`);

    assert.deepEqual(problems, []);
    assert.deepEqual(objects, [{ apiVersion: "v1", kind: "X", metadata: { name: "d", labels: { b: "c" } } }]);
    assert.deepEqual(warnings, ['6: the key "name" occurs twice in a mapping; kubectl uses the last one']);
    assert.deepEqual(read('{"apiVersion": "v1",\n"kind": "X",\n"kind": "Y"}').warnings, [
      '3: the key "kind" occurs twice in a mapping; kubectl uses the last one',
    ]);
  });

  test("K2: objects of JSON follow each other without a separator, each with its own line", () => {
    const text = '{"apiVersion":"v1","kind":"A"}\n{"apiVersion":"v1","kind":"B"}{"apiVersion":"v1",\n"kind":"C"}\n';
    const { documents, problems } = readManifests("items.json", text);

    assert.deepEqual(problems, []);
    assert.deepEqual(
      documents.map(({ object, place, number }) => [object["kind"], place.line, number]),
      [
        ["A", 1, 1],
        ["B", 2, 2],
        ["C", 2, 3],
      ],
    );
    assert.equal(documents[2]?.placeOf(["kind"]).line, 3);
  });

  test("K2: lines may end with a carriage return alone", () => {
    assert.deepEqual(read("apiVersion: v1\rkind: X\rmetadata:\r  name: a\r").objects, [
      { apiVersion: "v1", kind: "X", metadata: { name: "a" } },
    ]);
    assert.deepEqual(read("apiVersion: v1\r\nkind: X\r\n---\r\napiVersion: v1\r\nkind: B\r\n").objects.length, 2);
  });

  test("K6: an anchor is used as often as kubectl lets it be", () => {
    const uses = (count: number) => `base: &base {cpu: 100m, memory: 64Mi}\nitems:\n${"- *base\n".repeat(count)}`;

    const { problems } = read(`${HEAD}${uses(5_000)}`);

    assert.deepEqual(problems, []);
    assert.equal(Object(fieldsOf(uses(300))["items"]).length, 300);
    const bomb = Array.from({ length: 9 }, (_, level) => `a${level}: &a${level} [${(level === 0 ? "x, " : `*a${level - 1}, `).repeat(9)}]`);
    assert.match(read(`${HEAD}${bomb.join("\n")}\n`).problems.join(), /aliases produce nearly all of the document/);
    assert.match(read(`${HEAD}a: &a [*a]\n`).problems.join(), /3: .*contains itself/);
    assert.match(read(`${HEAD}a: *b\n`).problems.join(), /3: .*there is no anchor &b/);
  });

  test("K7: a merge replaces what stands before it, and what stands behind it replaces the merge", () => {
    const text = "base: &base {a: 1, b: 2}\nbefore: {a: 9, <<: *base}\nbehind: {<<: *base, a: 9}\nboth: {<<: [{a: 3}, *base]}\n";

    const { before, behind, both } = fieldsOf(text);

    assert.deepEqual({ before, behind, both }, { before: { a: 1, b: 2 }, behind: { a: 9, b: 2 }, both: { a: 3, b: 2 } });
    assert.deepEqual(read(`${HEAD}${text}`).warnings, []);
  });

  test("K7: text that looks like a number beyond all numbers stays text, a git hash for one", () => {
    assert.deepEqual(fieldsOf("a: 12e3456\nb: -1e400\nc: ._5\nd: 08\ne: 1e3\nf: .5\n"), {
      a: "12e3456",
      b: "-1e400",
      c: "._5",
      d: 8,
      e: 1000,
      f: 0.5,
    });
  });

  test("K7: integers have their prefixes in either case", () => {
    assert.deepEqual(fieldsOf("a: 0B1\nb: 0X1f\nc: 0O17\nd: 0b101\ne: 0o17\nf: 017\ng: -0x1F\nh: 1_000\n"), {
      a: 1,
      b: 31,
      c: 15,
      d: 5,
      e: 15,
      f: 15,
      g: -31,
      h: 1000,
    });
  });

  test("K7: integers of 64 bits keep their digits, read and written; larger ones are floats", () => {
    const text = "a: 9007199254740993\nb: -9223372036854775808\nc: 18446744073709551615\n";

    assert.deepEqual(fieldsOf(text), { a: 9007199254740993n, b: -9223372036854775808n, c: 18446744073709552000 });
    assert.equal(toYaml(fieldsOf("a: 9007199254740993\n")), "a: 9007199254740993\n");
  });
});

describe("a document that cannot be read", () => {
  const good = (kind: string) => `apiVersion: v1\nkind: ${kind}\n`;

  test("K2: is told by its line, and the ones around it are read", () => {
    const { objects, problems } = read(
      `${good("A")}---\na: b: c\n---\n${good("B")}--- {a: 1}\n---\n${good("C")}---\na: .inf\n---\n${good("D")}`,
    );

    assert.deepEqual(
      objects.map(({ kind }) => kind),
      ["A", "B", "C", "D"],
    );
    assert.deepEqual(problems, [
      "4: not YAML that kubectl reads: bad indentation of a mapping entry",
      "8: kubectl accepts only a comment after ---; write the document below it",
      "13: not YAML that kubectl reads: .inf cannot be represented in JSON; quote it if it is text",
    ]);
  });

  test("has no value of it in what is told", () => {
    const secret = "canary-4711";
    for (const text of [`a: !!int ${secret}\n`, `a: "${secret}\n`, `a: ${secret}: ${secret}\n`, `a: !!binary ${secret}\n`, `[${secret}`]) {
      const { problems } = read(text);

      assert.equal(problems.length, 1, text);
      assert.ok(!problems.join().includes("4711"), problems.join());
    }
  });

  test("does not hide that kubectl leaves a part of a document unread", () => {
    assert.deepEqual(read(`  apiVersion: v1\n  kind: A\nspec: {}\n---\n${good("B")}...\n# end\n`).warnings, [
      "3: kubectl reads nothing from here to the next ---",
    ]);
    assert.deepEqual(read(`${good("A")}...\n---\n${good("B")}`).warnings, []);
  });

  test("is one that is nested too deeply, and is no trouble for the stack", () => {
    assert.match(read(`${HEAD}a: ${"[".repeat(5_000)}${"]".repeat(5_000)}\n`).problems.join(), /3: .*deeper than 1000 levels/);
    assert.deepEqual(read(`${HEAD}a: ${"[".repeat(900)}${"]".repeat(900)}\n`).problems, []);
  });
});

describe("values are written so that kubectl reads them as the same", () => {
  for (const [what, value] of [
    ["text that is a number to kubectl", ["0O17", "0b-1", "-_1", "0B1", "1__0", ".5_0", "08"]],
    ["text that is a word of YAML 1.1", ["y", "No", "ON", "~", "Null", ".inf", "=", "<<"]],
    ["a key that would be a merge", { "<<": 1 }],
    ["blanks and breaks that nobody sees", ["\u0085", "\u2028", "\u00a0", "\ufeff", "\u200b", "a\u0085b", " ", "\t"]],
    ["text that begins with a tab, or a blank, and goes on", ["\ta\nb\n", "  a\nb", "\n\na\nb\n\n", "a\n\n\n", "\n"]],
    ["keys that look like something else", { "": 1, "~": 2, "a: b": 3, "- c": 4, ["__proto__"]: 5, ["x".repeat(2_000)]: 6, "1": 7 }],
    ["lists in lists", [[[1], []], [{ a: [[{}]] }]]],
  ] as const) {
    test(what, () => {
      const { objects, problems } = read(toYaml({ apiVersion: "v1", kind: "X", value }));

      assert.deepEqual(problems, []);
      assert.deepEqual(objects, [{ apiVersion: "v1", kind: "X", value }]);
    });
  }
});
