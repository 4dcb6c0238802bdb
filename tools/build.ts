// `npm run build`: compiles src into dist, from an empty folder each time, so that no file of an earlier build remains. The same sources
// give the same bytes. The bundle contains the packages, because loading a thousand files one by one took longer than the rest of the
// start.
import { spawnSync } from "node:child_process";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as esbuild from "esbuild";
import { licencesOf, packageNamesOf } from "./licences.ts";

const root = path.resolve(import.meta.dirname, "..");
export const DIST = path.join(root, "dist");

/** Some packages are CommonJS and load Node's own modules with `require`, which an ES module does not have. */
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

const CLIENT = "@kubernetes/client-node";

/**
 * Marks the modules of the Kubernetes client as free of side effects. The program uses nothing of its generated API, but the package does
 * not declare that its modules have no side effects, so that the bundle would contain all of them and load them at each start.
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
 * Loads Node's own `node:http` with `require`. An import reads each of its exports, one of which loads the whole of `fetch`, its WebSocket
 * and its cache.
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

/** Options with which a test changes the build. A release uses none. */
export type Additions = Pick<esbuild.BuildOptions, "inject" | "plugins">;

/** Compiles the program of the image into a folder. The folder appears complete or not at all. Throws with the compiler's messages. */
export async function build(target = DIST, additions: Additions = {}): Promise<void> {
  checkTypes();
  // Next to the target, because a rename does not cross file systems.
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

/** Returns which inputs each output contains. Writes nothing. */
export async function compiled(): Promise<esbuild.Metafile> {
  return (await bundle(DIST, false)).metafile;
}

/** Returns `name@version` of every bundled package. */
export async function bundledPackages(): Promise<ReadonlySet<string>> {
  return packageNamesOf(root, filesOf(await compiled()));
}

/** Inputs of which the program contains at least a part. The bundler read others and left them out. */
function filesOf({ outputs }: esbuild.Metafile): readonly string[] {
  const parts = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
  return [...new Set(parts.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file))];
}

/** Each subcommand is a file of its own, so that a process loads only its half. Names stay, so that stack traces remain readable. */
function bundle(folder: string, write: boolean, additions: Additions = {}) {
  return esbuild.build({
    ...additions,
    plugins: [CLIENT_ALONE, HTTP_AS_REQUIRED, ...(additions.plugins ?? [])],
    absWorkingDir: root,
    // The program, and the script of its decoding threads, which it starts from the same folder.
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
    // Each process keeps the text of the modules that it has loaded. Without comments and indentation the text is half as long, and takes
    // one byte a character. Lines stay short enough for a stack trace to show the place.
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
