import { execFileSync } from "node:child_process";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");

/** A commit that fixes defects, according to the trailer `Mends: C1, C2` of its message. */
export interface Mend {
  /** The full hash. */
  readonly commit: string;
  readonly subject: string;
  /** Ids of the defects whose tests the commit contains. */
  readonly ids: readonly string[];
}

/** Oldest first. */
export function readMends(): readonly Mend[] {
  const log = git("log", "--reverse", "--format=%H%x09%s%x09%(trailers:key=Mends,valueonly,separator=%x2C)").toString("utf8");
  return log
    .split("\n")
    .map((line) => line.split("\t"))
    .map(([commit = "", subject = "", ids = ""]) => ({ commit, subject, ids: ids.split(/[,\s]+/).filter((id) => id !== "") }))
    .filter(({ ids }) => ids.length > 0);
}

/** Extracts a part of a commit below the folder. */
export function extract(commit: string, folder: string, ...parts: readonly string[]): void {
  execFileSync("tar", ["-x", "-C", folder], { input: git("archive", "--format=tar", commit, ...parts) });
}

/**
 * Files below `test` that contain a test of the defect at the commit: those with the test's title, and those that import a test with this
 * title from a folder below `test/support`.
 */
export function testsOf(commit: string, id: string): readonly string[] {
  const titled = filesWith(commit, `["'\`]${id}: `, "test/*.ts");
  const tests = titled.filter((file) => file.endsWith(".test.ts"));
  const folders = titled.flatMap((file) => /^test\/(support\/[^/]+\/)/.exec(file)?.[1] ?? []);
  const users = folders.flatMap((folder) => filesWith(commit, `from ".*/${folder}`, "test/*.test.ts"));
  return [...new Set([...tests, ...users])];
}

function filesWith(commit: string, pattern: string, where: string): readonly string[] {
  try {
    const found = git("grep", "-l", "-E", pattern, commit, "--", where).toString("utf8");
    return found.split("\n").flatMap((line) => (line === "" ? [] : [line.slice(commit.length + 1)]));
  } catch {
    return [];
  }
}

function git(...args: readonly string[]): Buffer {
  return execFileSync("git", args, { cwd: root, maxBuffer: 256 * 1024 * 1024, stdio: ["ignore", "pipe", "pipe"] });
}
