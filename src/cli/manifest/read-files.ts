import { CommandFailure } from "../command.ts";
import { type ManifestDocument, type ManifestProblem, readManifests } from "./documents.ts";

export interface ManifestFiles {
  readonly documents: readonly ManifestDocument[];
  readonly problems: readonly ManifestProblem[];
  readonly warnings: readonly ManifestProblem[];
}

/** Larger than any manifest that people write, small enough to hold several of. */
const LARGEST_FILE = 64 * 1024 * 1024;

/** Reads every file in turn; without any, standard input. */
export async function readFiles(files: readonly string[], read: (file: string) => Promise<string>): Promise<ManifestFiles> {
  const documents: ManifestDocument[] = [];
  const problems: ManifestProblem[] = [];
  const warnings: ManifestProblem[] = [];
  const twice = files.filter((file) => file === "-").length > 1;
  if (twice) throw new CommandFailure("-f - is given twice; standard input can be read once");
  for (const file of files) {
    const text = await read(file);
    if (text.length > LARGEST_FILE) throw new CommandFailure(`${file} holds more than 64 MiB; split it into several files`);
    const manifests = readManifests(file, text);
    documents.push(...manifests.documents);
    problems.push(...manifests.problems);
    warnings.push(...manifests.warnings);
  }
  return { documents, problems, warnings };
}
