import { type ManifestDocument, type ManifestProblem, type Place, readManifests, shownFile, showPlace } from "../manifest/documents.ts";
import type { ManifestItem } from "../manifest/items.ts";
import { CommandFailure, type CommandInput, type ManifestInputs } from "./command.ts";

export interface ManifestSource {
  /** As messages call it. */
  readonly name: string;
  readonly read: () => Promise<string>;
}

/** Everything that -f and -k name, and what stands beside them as if it stood behind -f. Empty where nothing is named. */
export async function sourcesOf(
  { options, arguments: words }: CommandInput,
  { read, filesIn, kustomize }: ManifestInputs,
): Promise<readonly ManifestSource[]> {
  const names = [...words, ...(options.filename ?? [])];
  if (names.filter((name) => name === "-").length > 1) throw new CommandFailure("-f - is given twice; standard input can be read once");
  const sources: ManifestSource[] = [];
  for (const name of names) {
    const files = name === "-" ? undefined : await filesIn(name, options.recursive !== undefined);
    if (files?.length === 0) {
      throw new CommandFailure(
        `${name} has no file that ends in .yaml, .yml or .json; write -R for its folders as well, or -k for a kustomization`,
      );
    }
    for (const file of files ?? [name]) sources.push({ name: file, read: () => read(file) });
  }
  const folders = options.kustomize ?? [];
  return [...sources, ...folders.map((folder) => ({ name: `kustomize ${folder}`, read: () => kustomize(folder) }))];
}

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

/** One thing that is wrong, or that is told, about an object of the files. */
export interface Finding {
  readonly severity: "error" | "warning";
  readonly place: Place;
  /** `Deployment/web`; undefined where the document is no object. */
  readonly object?: string;
  /** One word of a closed set, where there is one. */
  readonly reason?: string | undefined;
  readonly message: string;
}

/** A finding on a field of an object. */
export function findingOn(
  item: ManifestItem,
  path: readonly (string | number)[],
  { severity, reason, message }: Pick<Finding, "severity" | "reason" | "message">,
): Finding {
  return { severity, place: item.placeOf(path), object: `${item.kind}/${item.name}`, reason, message };
}

/** What is wrong with the text of the files, whatever their objects are. */
export function fileFindings({ problems, warnings }: Pick<ManifestFiles, "problems" | "warnings">): readonly Finding[] {
  return [
    ...problems.map((problem): Finding => ({ ...problem, severity: "error" })),
    ...warnings.map((warning): Finding => ({ ...warning, severity: "warning" })),
  ];
}

/** `web.yaml:12: Deployment/web: error: … (VolumeNameTaken)` */
export function showFinding({ severity, place, object, reason, message }: Finding): string {
  const start = [showPlace(place), object, severity].filter((part) => part !== undefined).join(": ");
  return `${start}: ${message.replaceAll(/\s+/g, " ")}${reason === undefined ? "" : ` (${reason})`}`;
}
