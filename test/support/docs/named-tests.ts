import { existsSync } from "node:fs";
import path from "node:path";
import { REPOSITORY, readRepositoryFile } from "../../../tools/repository-files.ts";
import { codeSpans } from "./markdown.ts";

/** A test that a page names: its file, and its name as in the source, including `${…}`. */
export interface NamedTest {
  readonly file: string;
  readonly name: string;
}

/** Pairs of code spans: file, then name. */
export function namedTests(cell: string): readonly NamedTest[] {
  return codeSpans(cell).flatMap((file, index, spans) => (index % 2 === 0 ? [{ file, name: spans[index + 1] ?? "" }] : []));
}

/** Undefined if the file has a test, or a scenario of the real node, with that name. */
export function namedTestProblem({ file, name }: NamedTest): string | undefined {
  if (!existsSync(path.join(REPOSITORY, file))) return `${file} is not there`;
  const starts = ["test(", "scenario.run("].flatMap((call) => [`${call}${JSON.stringify(name)}`, `${call}\`${name}\``]);
  const text = readRepositoryFile(file).replaceAll(/\b(test|scenario\.run)\(\s+/g, "$1(");
  return starts.some((start) => text.includes(start)) ? undefined : `${file} has no test ${JSON.stringify(name)}`;
}
