/**
 * The files of the image, besides Node itself: one list for the Dockerfile and for the image of the end-to-end tests.
 *
 *   node tools/image-files.ts <folder>
 *
 * copies them there. Needs `dist`, which `npm run build` makes, and the installed packages.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { DIST } from "./build.ts";

const root = path.resolve(import.meta.dirname, "..");

export interface ImageFile {
  /** Relative to the image's folder, with forward slashes. */
  readonly path: string;
  readonly source: string;
}

/** How the container runs; the manifests name the command again. */
export const IMAGE = {
  name: "keyvault-injector",
  folder: "/app",
  /** A number, so that the kubelet can check `runAsNonRoot`. The files belong to root: the process can change none. */
  user: "65532:65532",
  command: ["node", "dist/main.js"],
} as const;

/** Files and folders that are taken as they are; `dist` and the packages come on top. */
const PLAIN = ["LICENSE", "package.json", "manifests/crds"] as const;

/** For compilers and debuggers: Node reads none of them, and they are two thirds of what is installed. */
const NEVER_RUN = /\.([cm]?ts|map|tsbuildinfo)$/;

const lockfile = z.object({
  packages: z.record(z.string(), z.object({ dev: z.boolean().optional(), optional: z.boolean().optional() }).loose()),
});

/** Sorted by path. Throws where something of it is not there. */
export function imageFiles(dist = DIST): readonly ImageFile[] {
  const plain = PLAIN.flatMap((name) => filesAt(path.join(root, name), name));
  const packages = productionPackages().flatMap(packageFiles);
  return [...plain, ...filesAt(dist, "dist"), ...packages].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Folders of what `npm ci --omit=dev --omit=optional` installs; npm marks all others in the lock file. */
export function productionPackages(): readonly string[] {
  const { packages } = lockfile.parse(JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")));
  return Object.entries(packages)
    .filter(([folder, { dev, optional, ...more }]) => folder !== "" && !dev && !optional && !more["devOptional"])
    .map(([folder]) => folder);
}

/**
 * Left out of a package's folder: packages inside of it, which have their own line in the lock file, and its own tests,
 * whose private keys alarm scanners.
 */
const NOT_OF_A_PACKAGE: readonly string[] = ["node_modules", "test", "tests"];

function packageFiles(folder: string): ImageFile[] {
  return readdirSync(path.join(root, folder))
    .filter((name) => !NOT_OF_A_PACKAGE.includes(name))
    .flatMap((name) => filesAt(path.join(root, folder, name), path.posix.join(folder, name)))
    .filter((file) => !NEVER_RUN.test(file.path));
}

function filesAt(source: string, into: string): ImageFile[] {
  const found = statSync(source, { throwIfNoEntry: false });
  if (found === undefined) throw new Error(`${path.relative(root, source)} is missing: run npm ci, then npm run build`);
  if (found.isFile()) return [{ path: into, source }];
  return readdirSync(source).flatMap((name) => filesAt(path.join(source, name), path.posix.join(into, name)));
}

function copyTo(folder: string): number {
  const files = imageFiles();
  for (const file of files) {
    const target = path.join(folder, file.path);
    mkdirSync(path.dirname(target), { recursive: true });
    cpSync(file.source, target);
  }
  return files.length;
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    console.error("image-files: name the folder to copy to: node tools/image-files.ts <folder>");
    process.exitCode = 2;
  } else {
    console.log(`${copyTo(folder)} files`);
  }
}
