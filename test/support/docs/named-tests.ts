import { existsSync } from "node:fs";
import path from "node:path";
import { REPOSITORY, readRepositoryFile } from "../../../tools/repository-files.ts";
import { codeSpans } from "./markdown.ts";

/** A test that a page names: by its file, and by its name as it stands there, `${…}` included. */
export interface NamedTest {
  readonly file: string;
  readonly name: string;
}

/** They stand in pairs of code spans: file, then name. */
export function namedTests(cell: string): readonly NamedTest[] {
  return codeSpans(cell).flatMap((file, index, spans) => (index % 2 === 0 ? [{ file, name: spans[index + 1] ?? "" }] : []));
}

/** Undefined where the file has a test, or a scenario of the real node, of that name. */
export function namedTestProblem({ file, name }: NamedTest): string | undefined {
  if (!existsSync(path.join(REPOSITORY, file))) return `${file} is not there`;
  const starts = ["test(", "scenario.run("].flatMap((call) => [`${call}${JSON.stringify(name)}`, `${call}\`${name}\``]);
  const text = readRepositoryFile(file).replaceAll(/\b(test|scenario\.run)\(\s+/g, "$1(");
  return starts.some((start) => text.includes(start)) ? undefined : `${file} has no test ${JSON.stringify(name)}`;
}
