/** Builds the command line as one file for Linux, with Node's single executable applications, for any architecture on any architecture. */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { arch, tmpdir } from "node:os";
import path from "node:path";
import * as esbuild from "esbuild";
import { nodeProgram } from "../node-program.ts";
import type { Architecture } from "../platform.ts";
import { CRDS, VERSION } from "./assets.ts";

const root = path.resolve(import.meta.dirname, "../../..");
/** From Node's documentation of single executables. */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/** The payload that is injected into Node, the same for both architectures. Its bytes depend only on the sources and the version. */
export interface Payload {
  /** Contains `payload.blob`. */
  readonly folder: string;
}

/** The caller removes the folder. */
export async function executablePayload(version: string): Promise<Payload> {
  const folder = mkdtempSync(path.join(tmpdir(), "executable-"));
  await bundle(path.join(folder, "main.cjs"));
  writeFileSync(path.join(folder, "version"), version);
  const crds = globSync("*.yaml", { cwd: path.join(root, "manifests/crds"), exclude: (name) => name === "kustomization.yaml" }).sort();
  for (const file of crds) copyFileSync(path.join(root, "manifests/crds", file), path.join(folder, file));
  const config = {
    // Relative, because the payload contains the name.
    main: "main.cjs",
    output: "payload.blob",
    disableExperimentalSEAWarning: true,
    // Each of these would make the payload depend on the architecture of the build machine.
    useSnapshot: false,
    useCodeCache: false,
    // Node options in the user's environment must not affect the executable.
    execArgvExtension: "none",
    assets: { [VERSION]: "version", ...Object.fromEntries(crds.map((file) => [`${CRDS}${file}`, file])) },
  };
  writeFileSync(path.join(folder, "config.json"), JSON.stringify(config));
  const { program } = await nodeProgram(arch() === "arm64" ? "arm64" : "amd64");
  execFileSync(program, ["--experimental-sea-config", "config.json"], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  return { folder };
}

/** Writes the executable. Throws with postject's message if that fails. */
export async function writeExecutable(file: string, architecture: Architecture, { folder }: Payload): Promise<void> {
  copyFileSync((await nodeProgram(architecture)).program, file);
  const postject = path.join(root, "node_modules/postject/dist/cli.js");
  const args = [postject, file, "NODE_SEA_BLOB", path.join(folder, "payload.blob"), "--sentinel-fuse", FUSE];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`postject failed: ${stdout}${stderr}`);
}

export function removePayload({ folder }: Payload): void {
  rmSync(folder, { recursive: true });
}

/** Bundles into one CommonJS file, which Node 24 requires. */
function bundle(outfile: string): Promise<unknown> {
  return esbuild.build({
    absWorkingDir: root,
    entryPoints: ["tools/release/executable/main.ts"],
    outfile,
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node24",
    legalComments: "none",
    logLevel: "error",
  });
}
