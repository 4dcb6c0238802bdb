/** Raises the version in a checkout: in names with the version, in CHANGELOG.md, and in the checksums of released files. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { digestOf } from "./oci-layout.ts";

/** Files with names that contain the version. The page on upgrading names two versions, and decisions name those of their time. */
const NAMING = ["README.md", "docs/**/*.md", "manifests/**/*.yaml"];
const OTHERS = ["docs/adr/**", "docs/how-to/upgrade.md", "manifests/releases/**", "manifests/helm/**"];
/** Text before the current version, if the version is ours. */
const BEFORE =
  /(?:keyvault-injector(?:-ci)?:|keyvault-injector-|newTag: |--version |image\.tag=|npm run release -- |releases?\/|tag `v|version="|What works in )/;

export interface Raise {
  /** Root of the checkout. */
  readonly root: string;
  readonly from: string;
  readonly to: string;
  /** `YYYY-MM-DD` */
  readonly date: string;
}

/** Returns the changed files. The caller must then generate the rendered manifests and the chart. */
export function raiseVersion({ root, from, to, date }: Raise): readonly string[] {
  const isOther = (file: string): boolean => OTHERS.some((pattern) => path.matchesGlob(file, pattern));
  const naming = globSync(NAMING, { cwd: root }).filter((file) => !isOther(file));
  const changes: Readonly<Record<string, (text: string) => string>> = {
    "package.json": (text) => text.replace(`"version": "${from}"`, `"version": "${to}"`),
    // The root package's own version is in the file twice, before all other packages.
    "package-lock.json": (text) =>
      text.replace(`"version": "${from}"`, `"version": "${to}"`).replace(`"version": "${from}"`, `"version": "${to}"`),
    "CHANGELOG.md": (text) => changelogWith(text, to, date),
    [SUMS]: (text) => text + sumsOf(root, from),
    ...Object.fromEntries(naming.map((file) => [file, (text: string) => renamed(text, from, to)])),
  };
  return Object.entries(changes).flatMap(([file, change]) => {
    const before = readFileSync(path.join(root, file), "utf8");
    const text = change(before);
    if (text === before) return [];
    writeFileSync(path.join(root, file), text);
    return [file];
  });
}

/** Checksums of the rendered files of released versions, in the format of `sha256sum`. */
export const SUMS = "manifests/releases/SHA256SUMS";

function sumsOf(root: string, version: string): string {
  const folder = path.join(root, path.dirname(SUMS));
  const files = globSync(`${version}/*.yaml`, { cwd: folder }).sort();
  return files.map((file) => `${digestOf(readFileSync(path.join(folder, file))).replace("sha256:", "")}  ${file}\n`).join("");
}

/** Replaces the version in names and in printed lines that consist of the version. Text about the version itself stays. */
export function renamed(text: string, from: string, to: string): string {
  const version = from.replaceAll(".", "\\.");
  return text.replaceAll(new RegExp(`(?<=${BEFORE.source})${version}(?!\\d)|^${version}$`, "gm"), to);
}

/** Moves the unreleased changes into a section of the version. Throws if there are none. */
export function changelogWith(text: string, version: string, date: string): string {
  const heading = "## [Unreleased]\n";
  const [before, after] = text.split(heading);
  if (after === undefined || /^\s*(?:## |$)/.test(after))
    throw new Error("CHANGELOG.md has nothing under [Unreleased]: there is nothing to release");
  return `${before}${heading}\n## [${version}] - ${date}\n${after}`;
}

/** Whether `to` comes after `from`. Versions have three numbers. */
export function isLater(to: string, from: string): boolean {
  const [a, b] = [to, from].map((version) => version.split(".").map(Number));
  const first = [0, 1, 2].find((index) => a?.[index] !== b?.[index]);
  return /^\d+\.\d+\.\d+$/.test(to) && first !== undefined && Number(a?.[first]) > Number(b?.[first]);
}
