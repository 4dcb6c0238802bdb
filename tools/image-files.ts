/**
 * The files of the image, besides Node itself: one list for the Dockerfile and for the image of the end-to-end tests.
 *
 *   node tools/image-files.ts <folder>
 *
 * copies them there. Needs `dist`, which `npm run build` makes.
 */
import { cpSync, mkdirSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { DIST } from "./build.ts";

const root = path.resolve(import.meta.dirname, "..");

export interface ImageFile {
  /** Relative to the image's folder, with forward slashes. */
  readonly path: string;
  readonly source: string;
}

/** How the container runs: `docker run IMAGE doctor`. The pods of the manifests name their own command, with options for Node. */
export const IMAGE = {
  name: "keyvault-injector",
  folder: "/app",
  /** A number, so that the kubelet can check `runAsNonRoot`. The files belong to root: the process can change none. */
  user: "65532:65532",
  entrypoint: ["node", "dist/main.js"],
} as const;

/** Files and folders that are taken as they are; `dist` comes on top, with the packages compiled in. */
const PLAIN = ["LICENSE", "package.json", "manifests/crds"] as const;

/** Sorted by path. Throws where something of it is not there. */
export function imageFiles(dist = DIST): readonly ImageFile[] {
  const plain = PLAIN.flatMap((name) => filesAt(path.join(root, name), name));
  return [...plain, ...filesAt(dist, "dist")].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function filesAt(source: string, into: string): ImageFile[] {
  const found = statSync(source, { throwIfNoEntry: false });
  if (found === undefined) throw new Error(`${path.relative(root, source)} is missing: run npm run build`);
  if (found.isFile()) return [{ path: into, source }];
  return readdirSync(source).flatMap((name) => filesAt(path.join(source, name), path.posix.join(into, name)));
}

/** Lays them out below the folder as they lie in the image. */
export function copyTo(folder: string, files = imageFiles()): number {
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
