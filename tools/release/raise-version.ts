/** The step from one version to the next in a checkout: what names the version, the section of CHANGELOG.md, the sums of what was released. */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { digestOf } from "./oci-layout.ts";

/** Where users find names with the version in them. The page on upgrading is about two versions, and decisions are about theirs. */
const NAMING = ["README.md", "docs/**/*.md", "manifests/**/*.yaml"];
const OTHERS = ["docs/adr/**", "docs/how-to/upgrade.md", "manifests/releases/**", "manifests/helm/**"];
/** What stands before a version that is ours, and the current one. */
const BEFORE =
  /(?:keyvault-injector(?:-ci)?:|keyvault-injector-|newTag: |--version |image\.tag=|npm run release -- |releases?\/|tag `v|version="|What works in )/;

export interface Raise {
  /** Of the checkout. */
  readonly root: string;
  readonly from: string;
  readonly to: string;
  /** `YYYY-MM-DD` */
  readonly date: string;
}

/** Returns the files that it has written. Rendered manifests and the chart are made anew after it. */
export function raiseVersion({ root, from, to, date }: Raise): readonly string[] {
  const isOther = (file: string): boolean => OTHERS.some((pattern) => path.matchesGlob(file, pattern));
  const naming = globSync(NAMING, { cwd: root }).filter((file) => !isOther(file));
  const changes: Readonly<Record<string, (text: string) => string>> = {
    "package.json": (text) => text.replace(`"version": "${from}"`, `"version": "${to}"`),
    // The root's own, twice, before any package.
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

/** Of the rendered files of versions that were released, as `sha256sum` writes them. */
export const SUMS = "manifests/releases/SHA256SUMS";

function sumsOf(root: string, version: string): string {
  const folder = path.join(root, path.dirname(SUMS));
  const files = globSync(`${version}/*.yaml`, { cwd: folder }).sort();
  return files.map((file) => `${digestOf(readFileSync(path.join(folder, file))).replace("sha256:", "")}  ${file}\n`).join("");
}

/** Names with the version in them; what is said of the version as such stays. */
export function renamed(text: string, from: string, to: string): string {
  return text.replaceAll(new RegExp(`(?<=${BEFORE.source})${from.replaceAll(".", "\\.")}(?!\\d)`, "g"), to);
}

/** What was unreleased is the version's. Throws where nothing is. */
export function changelogWith(text: string, version: string, date: string): string {
  const heading = "## [Unreleased]\n";
  const [before, after] = text.split(heading);
  if (after === undefined || /^\s*(?:## |$)/.test(after))
    throw new Error("CHANGELOG.md has nothing under [Unreleased]: there is nothing to release");
  return `${before}${heading}\n## [${version}] - ${date}\n${after}`;
}

/** Whether `to` comes after `from`, of three numbers each. */
export function isLater(to: string, from: string): boolean {
  const [a, b] = [to, from].map((version) => version.split(".").map(Number));
  const first = [0, 1, 2].find((index) => a?.[index] !== b?.[index]);
  return /^\d+\.\d+\.\d+$/.test(to) && first !== undefined && Number(a?.[first]) > Number(b?.[first]);
}
