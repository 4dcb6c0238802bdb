import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { type Practice, readPractices } from "../practices/page.ts";
import { SWITCHED_OFF } from "../practices/switched-off.ts";

const page = readRepositoryFile("docs/evidence/good-practices.md");
const practices = readPractices(page);

/** Rows that name a test that the file does not contain. */
function missing(rows: readonly Practice[]): readonly number[] {
  const hasTest = (file: string, name: string): boolean => {
    try {
      return readRepositoryFile(file).includes(`test(${JSON.stringify(name)},`);
    } catch {
      return false;
    }
  };
  return rows.filter(({ tests }) => tests.length === 0 || tests.some(({ file, name }) => !hasTest(file, name))).map(({ row }) => row);
}

describe("the page of good practices", () => {
  test("has the 32 rows, once each", () => {
    assert.deepEqual(
      practices.map(({ row }) => row),
      Array.from({ length: 32 }, (_, index) => index + 1),
    );
  });

  test("names tests that exist; a name with one letter less is missed", () => {
    assert.deepEqual(missing(practices), []);
    for (const practice of practices) {
      const [first] = practice.tests;
      assert.ok(first);
      assert.deepEqual(missing([{ ...practice, tests: [{ ...first, name: first.name.slice(1) }] }]), [practice.row]);
    }
  });

  test("has something to switch off for each test that a row names", () => {
    const named = practices.flatMap(({ row, tests }) => tests.map((_, index) => `${row}.${index}`));
    assert.deepEqual([...new Set(SWITCHED_OFF.map(({ row, test: index }) => `${row}.${index}`))].sort(), named.sort());
  });

  test("is switched off at places that are there, and by changes", () => {
    for (const { row, what, edits } of SWITCHED_OFF) {
      for (const { file, from, to } of edits) {
        assert.ok(readRepositoryFile(file).includes(from), `row ${row}, ${what}: ${file} has no ${JSON.stringify(from)}`);
        assert.notEqual(from, to);
      }
    }
  });
});
