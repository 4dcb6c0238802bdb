import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";

/** Short digest of files, for the name of a cache folder. */
export function digestOf(files: readonly string[]): string {
  const digest = createHash("sha256");
  for (const file of [...files].sort()) digest.update(path.basename(file)).update("\0").update(readFileSync(file)).update("\0");
  return digest.digest("hex").slice(0, 12);
}
