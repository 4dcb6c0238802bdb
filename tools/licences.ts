import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i;

/** Folders of the packages that the files belong to, sorted. */
export function packagesOf(inputs: readonly string[]): readonly string[] {
  const folders = inputs.flatMap((input) => /^(?:.*node_modules\/)(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []);
  return [...new Set(folders)].sort();
}

interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** npm checks these fields when a package is published. */
function packageFile(root: string, folder: string): PackageFile {
  return JSON.parse(readFileSync(path.join(root, folder, "package.json"), "utf8")) as PackageFile;
}

/** `name@version` of every bundled package. */
export function packageNamesOf(root: string, inputs: readonly string[]): ReadonlySet<string> {
  return new Set(
    packagesOf(inputs)
      .map((folder) => packageFile(root, folder))
      .map(({ name, version }) => `${name}@${version}`),
  );
}

/** Name, version and licence of every bundled package. Throws if a package has no licence. */
export function licencesOf(root: string, inputs: readonly string[]): string {
  const sections = packagesOf(inputs).map((folder) => {
    const { name, version, license } = packageFile(root, folder);
    const texts = readdirSync(path.join(root, folder)).filter((file) => LICENCE_FILE.test(file));
    if (texts.length === 0 && license === undefined) throw new Error(`${folder} names no licence: it cannot be compiled in`);
    const text = texts.sort().map((file) => readFileSync(path.join(root, folder, file), "utf8").trim());
    return [`${name} ${version} (${license ?? "see below"})`, ...text].join("\n\n");
  });
  return `${sections.join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}
