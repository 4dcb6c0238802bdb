import { spawnSync } from "node:child_process";
import { globSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

export const REPOSITORY = path.resolve(import.meta.dirname, "..");

const IGNORED = new Set(["node_modules", "dist", ".git"]);

/** Files of the repository by relative path, without ignored ones. Outside a Git checkout, every file except packages and build output. */
export function repositoryFiles(): readonly string[] {
  const git = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: REPOSITORY, encoding: "utf8" });
  const listed =
    git.status === 0
      ? git.stdout.split("\0").filter((file) => file !== "")
      : globSync("**/*", { cwd: REPOSITORY, exclude: (name) => IGNORED.has(name) });
  return listed.filter(isFile).sort();
}

export function readRepositoryFile(file: string): string {
  return readFileSync(path.join(REPOSITORY, file), "utf8");
}

/** Version of this build, from our own package.json. */
export const VERSION = (JSON.parse(readRepositoryFile("package.json")) as { readonly version: string }).version;

/** Binary files contain a zero byte near the start. Our text files contain none. */
export function isText(text: string): boolean {
  return !text.slice(0, 8_192).includes("\0");
}

function isFile(file: string): boolean {
  return statSync(path.join(REPOSITORY, file), { throwIfNoEntry: false })?.isFile() === true;
}
