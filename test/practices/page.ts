import { codeSpans, tables } from "../support/docs/markdown.ts";

export interface NamedTest {
  readonly file: string;
  readonly name: string;
}

/** A row of the page of good practices. */
export interface Practice {
  readonly row: number;
  readonly practice: string;
  readonly tests: readonly NamedTest[];
}

/** Reads the page's tests, which are pairs of code spans: the file, then the name. */
export function readPractices(markdown: string): readonly Practice[] {
  const [table] = tables(markdown).filter(({ header }) => header[0] === "#");
  return (table?.rows ?? []).map(([row = "", practice = "", , tests = ""]) => ({
    row: Number(row),
    practice,
    tests: inPairs(codeSpans(tests)),
  }));
}

function inPairs(spans: readonly string[]): readonly NamedTest[] {
  return spans.flatMap((name, index) => (index % 2 === 1 ? [{ file: spans[index - 1] ?? "", name }] : []));
}
