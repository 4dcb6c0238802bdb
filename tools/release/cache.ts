import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "../cache-folder.ts";

/** What is downloaded for a release, between runs. */
export function releaseCache(): string {
  const folder = path.join(cacheFolder(), "release");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Has `fill` fill a folder that appears whole under the name, or not at all, whoever else does so at the same time. */
export async function filledFolder(target: string, fill: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = mkdtempSync(`${target}-`);
  try {
    await fill(folder);
    renameSync(folder, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Throws unless the file has the checksum; the algorithm is one of Node's. */
export function verifyFile(file: string, algorithm: "sha256" | "sha512", encoding: "hex" | "base64", expected: string): void {
  const found = createHash(algorithm).update(readFileSync(file)).digest(encoding);
  if (found !== expected)
    throw new Error(`${path.basename(file)} has the ${algorithm} ${found}, and not ${expected} as locked: do not use it`);
}
