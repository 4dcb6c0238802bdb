// `npm run build`: src -> dist, from nothing each time, so that no file of an earlier build stays. The same sources give
// the same bytes: the compiler writes neither dates nor paths of the machine.
import { spawnSync } from "node:child_process";
import { renameSync, rmSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
export const DIST = path.join(root, "dist");

/** Compiles what runs in the image into a folder. It appears complete or not at all. Throws with the compiler's messages. */
export function build(target = DIST): void {
  // Beside the target, because a rename does not cross file systems.
  const fresh = `${target}-${process.pid}`;
  try {
    compile(fresh);
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function compile(folder: string): void {
  const args = [path.join(root, "node_modules/.bin/tsc"), "-p", "tsconfig.build.json", "--noEmitOnError", "--outDir", folder];
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`src does not compile:\n${stdout}${stderr}`);
}

if (import.meta.main) {
  try {
    build();
    console.log(path.relative(process.cwd(), DIST));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
