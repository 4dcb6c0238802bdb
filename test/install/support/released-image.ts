import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { IMAGE } from "../../../tools/image-files.ts";
import { nodeRuntimeImage } from "../../e2e/support/node-images.ts";
import { entriesUnder, type ImageSpec } from "../../e2e/support/oci-image.ts";
import { cacheDir } from "../../support/cache.ts";
import { REPOSITORY } from "../../support/repository-files.ts";

/** A version as it was released: its commit in this repository's history. */
export const RELEASE = { version: "0.3.0", commit: "b5c379591fc61cdb7547fb5cce3b6b7b101662fc" } as const;

const lockfile = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), integrity: z.string().optional(), dev: z.boolean().optional() }),
  ),
});

/** Why that version can't be built here; undefined where it can. */
export function releaseRefusal(): string | undefined {
  if (existsSync(builtFolder())) return undefined;
  try {
    git("cat-file", "-e", `${RELEASE.commit}^{commit}`);
    return undefined;
  } catch {
    return `the commit of ${RELEASE.version} is not in this clone's history: git fetch --unshallow`;
  }
}

/** The image of the release, built by its own tools from its own sources. */
export function releasedImage(): ImageSpec {
  const folder = builtFolder();
  if (!existsSync(folder)) buildInto(folder);
  const { folder: into, user, command } = IMAGE;
  const config = { user, entrypoint: [], command, workingDirectory: into };
  return nodeRuntimeImage([`${IMAGE.name}:${RELEASE.version}`], entriesUnder(folder, into.slice(1)), config);
}

function builtFolder(): string {
  return path.join(cacheDir(), `release-${RELEASE.version}-${RELEASE.commit.slice(0, 12)}`);
}

function buildInto(target: string): void {
  mkdirSync(cacheDir(), { recursive: true });
  const work = mkdtempSync(path.join(cacheDir(), "release-build-"));
  const [sources, image] = [path.join(work, "sources"), path.join(work, "image")];
  try {
    mkdirSync(sources);
    execFileSync("tar", ["-x", "-C", sources], { input: git("archive", "--format=tar", RELEASE.commit) });
    checkPackages(sources);
    symlinkSync(path.join(REPOSITORY, "node_modules"), path.join(sources, "node_modules"));
    for (const args of [["tools/build.ts"], ["tools/image-files.ts", image]]) {
      execFileSync(process.execPath, args, { cwd: sources, stdio: ["ignore", "ignore", "inherit"] });
    }
    renameSync(image, target);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Its packages are taken from this checkout: they have to be the ones that it was locked to. */
function checkPackages(sources: string): void {
  const ours = lockedPackages(REPOSITORY);
  const changed = [...lockedPackages(sources)].filter(([name, locked]) => ours.get(name) !== locked).map(([name]) => name);
  if (changed.length > 0) throw new Error(`${RELEASE.version} was locked to other packages than are installed here: ${changed.join(", ")}`);
}

function lockedPackages(folder: string): ReadonlyMap<string, string> {
  const { packages } = lockfile.parse(JSON.parse(readFileSync(path.join(folder, "package-lock.json"), "utf8")));
  const run = Object.entries(packages).filter(([name, { dev }]) => name !== "" && dev !== true);
  return new Map(run.map(([name, { version, integrity }]) => [name, `${version} ${integrity}`]));
}

function git(...args: readonly string[]): Buffer {
  return execFileSync("git", args, { cwd: REPOSITORY, maxBuffer: 256 * 1024 * 1024, stdio: ["ignore", "pipe", "pipe"] });
}
