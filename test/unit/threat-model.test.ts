import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { tables } from "../support/docs/markdown.ts";
import { namedTestProblem, namedTests } from "../support/docs/named-tests.ts";

const page = readRepositoryFile("docs/security/threat-model.md");
const evidence = readRepositoryFile("docs/evidence/threat-model-tests.md");

const rowsOf = (markdown: string, column: string): readonly (readonly string[])[] =>
  tables(markdown).flatMap(({ header, rows }) => (header[1] === column ? rows : []));

/** The ids of a row, such as `C7, C9` or `P4–P7`. Attacks with the same control share a row. */
function idsIn(cell: string): readonly string[] {
  return cell.split(", ").flatMap((part) => {
    const [, letter = "", first = "", last = ""] = /^([A-Z])(\d+)–\1(\d+)$/.exec(part) ?? [];
    return letter === ""
      ? [part]
      : Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `${letter}${Number(first) + index}`);
  });
}

/** Returns the problems of the attack rows. Each row needs a unique id and a test, and each named test must exist. */
function problemsOf(markdown: string, tests: string): readonly string[] {
  const ids = rowsOf(markdown, "Attack").flatMap(([cell = ""]) => idsIn(cell));
  const tested = new Map(rowsOf(tests, "Test").map(([id = "", named = ""]) => [id, namedTests(named)]));
  return [
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id}: twice`),
    ...ids.filter((id) => (tested.get(id) ?? []).length === 0).map((id) => `${id}: no test`),
    ...[...tested.keys()].filter((id) => !ids.includes(id)).map((id) => `${id}: of no row`),
    ...[...tested].flatMap(([id, named]) => named.flatMap((each) => namedTestProblem(each) ?? []).map((problem) => `${id}: ${problem}`)),
  ];
}

describe("the threat model", () => {
  test("has for every row a test that exists", () => assert.deepEqual(problemsOf(page, evidence), []));

  test("would be found to have none, one that is not there, or a row without an id", () => {
    const rows = evidence.split("\n").filter((line) => /^\| .*\.ts` `/.test(line));
    assert.ok(rows.length >= 40, `${rows.length} rows`);
    for (const row of rows) {
      assert.equal(problemsOf(page, evidence.replace(`${row}\n`, "")).length, 1, row);
      const other = row.replace(/` \|$/, "x` |");
      assert.equal(
        problemsOf(
          page,
          evidence.replace(row, () => other),
        ).length,
        1,
        row,
      );
    }
    const [row = ""] = page.split("\n").filter((line) => line.startsWith("| P1 |"));
    assert.equal(
      problemsOf(
        page.replace(row, () => `${row}\n${row}`),
        evidence,
      ).length,
      1,
    );
    assert.equal(problemsOf(page.replace(`${row}\n`, ""), evidence).length, 1);
  });

  test("has every actor, and says of each how far it gets", () => {
    const actors = ["Pod authors", "Class authors", "Namespace admins", "Nodes", "A compromised webhook", "A compromised worker"];
    const withRows = tables(page)
      .filter(({ header }) => header[1] === "Attack")
      .map(({ under }) => under.at(-1));
    for (const actor of actors) assert.ok(withRows.includes(actor), actor);
  });

  test("says in these words what the worker can read", () => {
    assert.match(page, /\*\*In `watch` mode, the default, the worker can read every Secret of the cluster\*\*/);
  });
});
