import assert from "node:assert/strict";
import { type Table, tables } from "./markdown.ts";

/** Reads the statements of a page, one line of text per row of its tables, so that differences are easy to read. */
export type Reader = (markdown: string) => readonly string[];

/** Asserts that page and code have the same facts, compared as text in both directions. */
export function assertSame(fromPage: readonly string[], fromCode: readonly string[], what: string): void {
  const undocumented = fromCode.filter((fact) => !fromPage.includes(fact));
  const unknown = fromPage.filter((fact) => !fromCode.includes(fact));
  assert.deepEqual({ undocumented, unknown }, { undocumented: [], unknown: [] }, what);
  assert.equal(new Set(fromPage).size, fromPage.length, `${what}: a row stands twice`);
}

/** Asserts that the comparison fails for each removed row and for an invented one, which proves that it reads the page. */
export function assertNotices(markdown: string, read: Reader, fromCode: readonly string[]): void {
  const lines = markdown.split("\n");
  const replaced = (at: number, by: readonly string[]): readonly string[] => read(lines.toSpliced(at, 1, ...by).join("\n"));
  const rows = [...lines.entries()].filter(([at]) => replaced(at, []).length === read(markdown).length - 1);
  assert.ok(rows.length >= fromCode.length, `${rows.length} rows for ${fromCode.length} facts`);
  for (const [at, row] of rows) {
    assert.throws(() => assertSame(replaced(at, []), fromCode, "control"), assert.AssertionError, row);
    const invented = row.replaceAll(/`([^`]+)`/g, "`$1x`");
    assert.throws(() => assertSame(replaced(at, [row, invented]), fromCode, "control"), assert.AssertionError, row);
  }
}

/** Tables whose first column has this heading. */
export function tablesOf(markdown: string, firstColumn: string): readonly Table[] {
  return tables(markdown).filter(({ header }) => header[0] === firstColumn);
}
