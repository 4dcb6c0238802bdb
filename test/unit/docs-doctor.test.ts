import { describe, test } from "node:test";
import { CLASS_STEPS, LEAVES } from "../../src/cli/doctor/class/leaves.ts";
import { CLASS_VERDICTS } from "../../src/cli/doctor/plan/plan.ts";
import { SECRET_ACTIONS } from "../../src/cli/doctor/plan/plan-secret.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { codeSpans } from "../support/markdown.ts";
import { assertNotices, assertSame, type Reader, tablesOf } from "../support/reference-page.ts";

const PAGE = readRepositoryFile("docs/reference/doctor.md");

/** The words in the first cells of each row, and the plain text of the last that is compared. */
function rows(column: string, cells: number): Reader {
  return (markdown) =>
    tablesOf(markdown, column).flatMap(({ rows: found }) =>
      found.map((row) =>
        row
          .slice(0, cells)
          .map((cell) => codeSpans(cell)[0] ?? cell)
          .join(" | "),
      ),
    );
}

const TABLES: readonly { readonly column: string; readonly cells: number; readonly code: readonly string[] }[] = [
  { column: "Step", cells: 2, code: Object.entries(CLASS_STEPS).map(([step, means]) => `${step} | ${means}`) },
  {
    column: "Leaf",
    cells: 4,
    code: Object.entries(LEAVES).map(([leaf, { step, state, meaning }]) => `${leaf} | ${step} | ${state} | ${meaning}`),
  },
  { column: "Class", cells: 2, code: Object.entries(CLASS_VERDICTS).map(([verdict, means]) => `${verdict} | ${means}`) },
  { column: "Secret", cells: 2, code: Object.entries(SECRET_ACTIONS).map(([action, means]) => `${action} | ${means}`) },
];

describe("the page of doctor", () => {
  for (const { column, cells, code } of TABLES) {
    test(`has every ${column.toLowerCase()} of the code with its meaning, and no other`, () => {
      assertSame(rows(column, cells)(PAGE), code, column);
    });

    test(`is compared in earnest: ${column.toLowerCase()}`, () => assertNotices(PAGE, rows(column, cells), code));
  }
});
