import { execFile } from "node:child_process";
import type { NamedTest } from "./page.ts";

/** `absent`: the file did not run a test with this name. */
export type Outcome = "passed" | "failed" | "absent";

/** Time limit in milliseconds. Some of the named tests start a control plane. */
const LONGEST_MS = 180_000;

/** Runs tests of one file by their names, in a checkout. */
export function runNamed(folder: string, file: string, names: readonly string[]): Promise<ReadonlyMap<string, Outcome>> {
  const patterns = names.map((name) => `--test-name-pattern=^${escaped(name)}$`);
  const args = ["--test", "--test-reporter=tap", ...patterns, file];
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd: folder, env: environment, timeout: LONGEST_MS, maxBuffer: 64 * 1024 * 1024 },
      (_error, stdout) => resolve(new Map(names.map((name) => [name, outcomeIn(stdout, name)]))),
    );
  });
}

/**
 * Counts only a test that failed itself. Does not count failed hooks, a test that was cancelled with its suite, or a file that does not
 * load.
 */
function outcomeIn(tap: string, name: string): Outcome {
  const written = name.replaceAll("\\", "\\\\").replaceAll("#", "\\#");
  const found = new RegExp(`^ *(not ok|ok) \\d+ - ${escaped(written)}$([\\s\\S]*?^ *\\.\\.\\.$)?`, "m").exec(tap);
  if (found === null) return "absent";
  if (found[1] === "ok") return "passed";
  return /failureType: '(testCodeFailure|testTimeoutFailure)'/.test(found[2] ?? "") ? "failed" : "absent";
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

export function describeTest({ file, name }: NamedTest): string {
  return `${file} "${name}"`;
}
