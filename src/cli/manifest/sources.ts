import { CommandFailure, type CommandInput } from "../command.ts";

/** Ways to the manifests that a user names. */
export interface ManifestInputs {
  /** Text of a file, of an address, or of standard input for `-`; throws a {@link CommandFailure} that names it. */
  readonly read: (name: string) => Promise<string>;
  /** The manifests of a folder in the order of their names; undefined where it is no folder. */
  readonly filesIn: (name: string, isRecursive: boolean) => Promise<readonly string[] | undefined>;
  /** What kubectl makes of a kustomization; throws a {@link CommandFailure} that says what failed. */
  readonly kustomize: (folder: string) => Promise<string>;
}

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
