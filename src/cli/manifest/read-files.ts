import { CommandFailure } from "../command.ts";
import { type ManifestDocument, type ManifestProblem, readManifests, shownFile } from "./documents.ts";
import type { ManifestSource } from "./sources.ts";

export interface ManifestFiles {
  readonly documents: readonly ManifestDocument[];
  readonly problems: readonly ManifestProblem[];
  readonly warnings: readonly ManifestProblem[];
}

/** Larger than any manifest that people write, small enough to hold several of. */
export const LARGEST_FILE = 64 * 1024 * 1024;
/** Characters of all documents as they are printed, aliases written out: half of what a text of the engine can hold. */
const MOST_CHARACTERS = 256 * 1024 * 1024;

/** Reads every source in turn. No object in any of them is a failure: somebody meant to name some. */
export async function readFiles(sources: readonly ManifestSource[]): Promise<ManifestFiles> {
  const documents: ManifestDocument[] = [];
  const problems: ManifestProblem[] = [];
  const warnings: ManifestProblem[] = [];
  let characters = 0;
  for (const { name: file, read } of sources) {
    const text = await read();
    if (text.length > LARGEST_FILE) throw new CommandFailure(`${file} holds more than 64 MiB; split it into several files`);
    const manifests = readManifests(file, text);
    // One by one: a file may have more documents than a call can have arguments.
    for (const document of manifests.documents) {
      documents.push(document);
      characters += document.characters;
    }
    for (const problem of manifests.problems) problems.push(problem);
    for (const warning of manifests.warnings) warnings.push(warning);
    if (characters > MOST_CHARACTERS)
      throw new CommandFailure(`${file} would take more than 256 MiB to print; split it, or use fewer aliases`);
  }
  if (documents.length === 0 && problems.length === 0)
    throw new CommandFailure(`no objects in ${sources.map(({ name }) => shownFile(name)).join(", ")}`);
  return { documents, problems, warnings };
}
