/** Branch coverage, measured by Node's test runner, which runs the seeds as one test file. */
import path from "node:path";
import { run } from "node:test";

export const FOLDERS = ["src/sync", "src/kube", "src/azure"];

interface File {
  readonly path: string;
  readonly totalBranchCount: number;
  readonly coveredBranchCount: number;
}

/** Returns one line for each folder. Rejects if the seeds fail. */
export async function branchCoverage(args: readonly string[]): Promise<readonly string[]> {
  const root = path.resolve(import.meta.dirname, "../../..");
  const stream = run({
    files: [path.join(import.meta.dirname, "covered.ts")],
    argv: [...args],
    cwd: root,
    coverage: true,
    coverageIncludeGlobs: FOLDERS.map((folder) => `${folder}/**/*.ts`),
  });
  let files: readonly File[] = [];
  let failed: string | undefined;
  stream.on("test:coverage", ({ summary }) => {
    files = summary.files;
  });
  stream.on("test:stdout", ({ message }) => void process.stdout.write(message));
  stream.on("test:stderr", ({ message }) => void process.stderr.write(message));
  stream.on("test:fail", ({ name }) => {
    failed = name;
  });
  for await (const _ of stream) {
    // Reads all events until the end of the stream.
  }
  if (failed !== undefined) throw new Error("the seeds whose coverage was wanted failed: see above");
  return FOLDERS.map((folder) =>
    lineOf(
      folder,
      files.filter((file) => path.relative(root, file.path).startsWith(`${folder}/`)),
    ),
  );
}

function lineOf(folder: string, files: readonly File[]): string {
  const sum = (count: (file: File) => number): number => files.reduce((all, file) => all + count(file), 0);
  const [covered, total] = [sum((file) => file.coveredBranchCount), sum((file) => file.totalBranchCount)];
  return `branches of ${folder}: ${covered} of ${total}, ${((100 * covered) / Math.max(total, 1)).toFixed(1)} %`;
}
