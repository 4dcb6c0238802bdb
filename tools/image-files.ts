/**
 * Lists the files of the image except Node itself, for the Dockerfile and for the image of the end-to-end tests.
 *
 * `node tools/image-files.ts <folder>` copies them to the folder. Needs `dist`, which `npm run build` creates.
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

/** Settings of the container for `docker run IMAGE doctor`. The pods of the manifests have their own command, with options for Node. */
export const IMAGE = {
  name: "keyvault-injector",
  folder: "/app",
  /** A number, so that the kubelet can check `runAsNonRoot`. The files belong to root, so that the process cannot change them. */
  user: "65532:65532",
  entrypoint: ["node", "dist/main.js"],
} as const;

/** Files and folders that the image contains unchanged. The build adds `dist`, which contains the bundled packages. */
const PLAIN = ["LICENSE", "package.json", "manifests/crds"] as const;

/** Sorted by path. Throws if a file or folder is missing. */
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

/** Copies the files below the folder in the image's layout, and returns their number. */
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
