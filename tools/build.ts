// `npm run build`: src -> dist, from nothing each time, so that no file of an earlier build stays. The same sources give
// the same bytes. The packages are compiled in: loading a thousand files one by one took longer than everything else at start.
import { spawnSync } from "node:child_process";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as esbuild from "esbuild";
import { licencesOf, packageNamesOf } from "./licences.ts";

const root = path.resolve(import.meta.dirname, "..");
export const DIST = path.join(root, "dist");

/** Some packages are CommonJS and look for Node's own modules by `require`, which a module does not have. */
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** What a test has compiled in besides, or otherwise; nothing in what is released. */
export type Additions = Pick<esbuild.BuildOptions, "inject" | "plugins">;

/** Compiles what runs in the image into a folder. It appears complete or not at all. Throws with the compiler's messages. */
export async function build(target = DIST, additions: Additions = {}): Promise<void> {
  checkTypes();
  // Beside the target, because a rename does not cross file systems.
  const fresh = `${target}-${process.pid}`;
  try {
    const { metafile } = await bundle(fresh, true, additions);
    writeFileSync(path.join(fresh, "THIRD-PARTY-LICENCES.txt"), licencesOf(root, Object.keys(metafile.inputs)));
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** `name@version` of every package that is compiled in. Writes nothing. */
export async function bundledPackages(): Promise<ReadonlySet<string>> {
  const { metafile } = await bundle(DIST, false);
  return packageNamesOf(root, Object.keys(metafile.inputs));
}

/** Each subcommand in a file of its own: a process loads only its half. Names stay, so that a stack trace can be read. */
function bundle(folder: string, write: boolean, additions: Additions = {}) {
  return esbuild.build({
    ...additions,
    absWorkingDir: root,
    // The program, and that of its decoding threads, which it starts from beside itself.
    entryPoints: { main: "src/main.ts", "decoding-thread": "src/pki/threads/thread.ts" },
    outdir: folder,
    write,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    banner: { js: REQUIRE },
    legalComments: "none",
    metafile: true,
    logLevel: "silent",
  });
}

function checkTypes(): void {
  const args = [path.join(root, "node_modules/.bin/tsc"), "-p", "tsconfig.build.json"];
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`src does not compile:\n${stdout}${stderr}`);
}

if (import.meta.main) {
  try {
    await build();
    console.log(path.relative(process.cwd(), DIST));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
