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

const CLIENT = "@kubernetes/client-node";

/**
 * The generated client of the whole API, of which the program uses nothing: its package does not say that its modules do nothing by being
 * loaded, so that all of them would be compiled in, and loaded at each start.
 */
const CLIENT_ALONE: esbuild.Plugin = {
  name: "client-alone",
  setup(program) {
    program.onResolve({ filter: /./ }, async ({ path: wanted, pluginData, importer, ...rest }) => {
      const isOfClient = wanted === CLIENT || importer.includes(`node_modules/${CLIENT}/`);
      if (!isOfClient || pluginData === CLIENT) return undefined;
      const found = await program.resolve(wanted, { ...rest, importer, pluginData: CLIENT });
      return { ...found, sideEffects: !found.path.includes(`node_modules/${CLIENT}/`) };
    });
  },
};

/**
 * Node's own `node:http`, as a program has it that requires it: to import it reads each of its exports, one of which loads the whole of
 * `fetch`, its WebSocket and its cache.
 */
const HTTP_AS_REQUIRED: esbuild.Plugin = {
  name: "http-as-required",
  setup(program) {
    program.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === "import-statement" ? { path: "node:http", namespace: "as-required" } : undefined,
    );
    program.onLoad({ filter: /./, namespace: "as-required" }, ({ path: name }) => ({
      contents: `module.exports = require(${JSON.stringify(name)});`,
    }));
  },
};

/** What a test has compiled in besides, or otherwise; nothing in what is released. */
export type Additions = Pick<esbuild.BuildOptions, "inject" | "plugins">;

/** Compiles what runs in the image into a folder. It appears complete or not at all. Throws with the compiler's messages. */
export async function build(target = DIST, additions: Additions = {}): Promise<void> {
  checkTypes();
  // Beside the target, because a rename does not cross file systems.
  const fresh = `${target}-${process.pid}`;
  try {
    const { metafile } = await bundle(fresh, true, additions);
    writeFileSync(path.join(fresh, "THIRD-PARTY-LICENCES.txt"), licencesOf(root, filesOf(metafile)));
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** What is compiled into what. Writes nothing. */
export async function compiled(): Promise<esbuild.Metafile> {
  return (await bundle(DIST, false)).metafile;
}

/** `name@version` of every package that is compiled in. */
export async function bundledPackages(): Promise<ReadonlySet<string>> {
  return packageNamesOf(root, filesOf(await compiled()));
}

/** Of which something is in the program; others were read and left out. */
function filesOf({ outputs }: esbuild.Metafile): readonly string[] {
  const parts = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
  return [...new Set(parts.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file))];
}

/** Each subcommand in a file of its own: a process loads only its half. Names stay, so that a stack trace can be read. */
function bundle(folder: string, write: boolean, additions: Additions = {}) {
  return esbuild.build({
    ...additions,
    plugins: [CLIENT_ALONE, HTTP_AS_REQUIRED, ...(additions.plugins ?? [])],
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
    // Each process keeps the text of what it has loaded: without comments and indentation it is half of that, and one byte a character. Lines stay
    // short enough for a stack trace to say where.
    minifyWhitespace: true,
    lineLimit: 160,
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
