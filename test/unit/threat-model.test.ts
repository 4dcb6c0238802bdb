import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { tables } from "../support/docs/markdown.ts";
import { namedTestProblem, namedTests } from "../support/docs/named-tests.ts";

const page = readRepositoryFile("docs/security/threat-model.md");

/** What is wrong with the rows that say who reaches what: none of them is without a test, and every test is there. */
function problemsOf(markdown: string): readonly string[] {
  return tables(markdown)
    .filter(({ header }) => header[0] === "Reach")
    .flatMap(({ rows }) => rows)
    .flatMap(([reach = "", , tests = ""]) => {
      const named = namedTests(tests);
      if (named.length === 0) return [`${reach}: no test`];
      return named.flatMap((each) => namedTestProblem(each) ?? []);
    });
}

describe("the threat model", () => {
  test("names for every row a test that exists", () => assert.deepEqual(problemsOf(page), []));

  test("would be found to name none, or one that is not there", () => {
    const rows = page.split("\n").filter((line) => /^\| .*\.ts` `/.test(line));
    assert.ok(rows.length >= 40, `${rows.length} rows`);
    const alone = (row: string): string => `| Reach | Control | Test |\n|---|---|---|\n${row}\n`;
    for (const row of rows) {
      assert.deepEqual(problemsOf(alone(row)), []);
      assert.equal(problemsOf(alone(row.replace(/ `test\/.*$/, " – |"))).length, 1, row);
      assert.equal(problemsOf(alone(row.replace(/` \|$/, "x` |"))).length, 1, row);
    }
  });

  test("has every actor, and says of each how far it gets", () => {
    const actors = ["Pod authors", "Class authors", "Namespace admins", "Nodes", "A compromised webhook", "A compromised worker"];
    const withRows = tables(page)
      .filter(({ header }) => header[0] === "Reach")
      .map(({ under }) => under.at(-1));
    for (const actor of actors) assert.ok(withRows.includes(actor), actor);
  });

  test("says in these words what the worker can read", () => {
    assert.match(page, /\*\*In `watch` mode, the default, the worker can read every Secret of the cluster\*\*/);
  });
});
