import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { cacheFolder } from "../../../tools/cache-folder.ts";
import { REPOSITORY } from "../../../tools/repository-files.ts";

/** A commit of this repository, built from its own sources with its own tools. */
export interface BuiltCommit {
  /** The full hash. */
  readonly commit: string;
  /** Folder with the files of its image, in the image's layout. */
  readonly image: string;
  /** Folder with its `manifests`. */
  readonly manifests: string;
}

const lockfile = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), integrity: z.string().optional(), dev: z.boolean().optional() }),
  ),
});

/** The full hash of a revision. Undefined if this clone does not have the commit. */
export function findCommit(revision: string): string | undefined {
  try {
    return git("rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`).toString("utf8").trim();
  } catch {
    return undefined;
  }
}

export function isBuilt(commit: string): boolean {
  return existsSync(folderOf(commit));
}

/** Builds the commit once, and keeps the result in the cache. */
export function builtCommit(commit: string): BuiltCommit {
  const folder = folderOf(commit);
  if (!existsSync(folder)) buildInto(folder, commit);
  return { commit, image: path.join(folder, "image"), manifests: path.join(folder, "manifests") };
}

function folderOf(commit: string): string {
  return path.join(cacheFolder(), `commit-${commit.slice(0, 12)}`);
}

function buildInto(target: string, commit: string): void {
  mkdirSync(cacheFolder(), { recursive: true });
  const work = mkdtempSync(path.join(cacheFolder(), "commit-build-"));
  const [sources, built] = [path.join(work, "sources"), path.join(work, "built")];
  try {
    mkdirSync(sources);
    mkdirSync(built);
    execFileSync("tar", ["-x", "-C", sources], { input: git("archive", "--format=tar", commit) });
    installPackages(sources);
    for (const args of [["tools/build.ts"], ["tools/image-files.ts", path.join(built, "image")]]) {
      execFileSync(process.execPath, args, { cwd: sources, stdio: ["ignore", "ignore", "inherit"] });
    }
    renameSync(path.join(sources, "manifests"), path.join(built, "manifests"));
    renameSync(built, target);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Uses the packages of this checkout if the commit's lockfile has the same ones, otherwise installs the commit's. */
function installPackages(sources: string): void {
  const ours = lockedPackages(REPOSITORY);
  const isSame = [...lockedPackages(sources)].every(([name, locked]) => ours.get(name) === locked);
  if (isSame) symlinkSync(path.join(REPOSITORY, "node_modules"), path.join(sources, "node_modules"));
  else execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: sources, stdio: ["ignore", "ignore", "inherit"] });
}

function lockedPackages(folder: string): ReadonlyMap<string, string> {
  const { packages } = lockfile.parse(JSON.parse(readFileSync(path.join(folder, "package-lock.json"), "utf8")));
  const run = Object.entries(packages).filter(([name, { dev }]) => name !== "" && dev !== true);
  return new Map(run.map(([name, { version, integrity }]) => [name, `${version} ${integrity}`]));
}

function git(...args: readonly string[]): Buffer {
  return execFileSync("git", args, { cwd: REPOSITORY, maxBuffer: 256 * 1024 * 1024, stdio: ["ignore", "pipe", "pipe"] });
}
