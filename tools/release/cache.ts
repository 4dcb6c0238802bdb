import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "../cache-folder.ts";

/** Folder that keeps a release's downloads between runs. */
export function releaseCache(): string {
  const folder = path.join(cacheFolder(), "release");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * Calls `fill` to fill a new folder. The folder appears under the target's name complete or not at all, even if another process does the
 * same.
 */
export async function filledFolder(target: string, fill: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = mkdtempSync(`${target}-`);
  try {
    await fill(folder);
    renameSync(folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Throws if the file does not have the checksum. The algorithm is one of Node's. */
export function verifyFile(file: string, algorithm: "sha256" | "sha512", encoding: "hex" | "base64", expected: string): void {
  const found = createHash(algorithm).update(readFileSync(file)).digest(encoding);
  if (found !== expected)
    throw new Error(`${path.basename(file)} has the ${algorithm} ${found}, and not ${expected} as locked: do not use it`);
}
