import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

/** Where built and downloaded binaries are kept between runs. `tools/bootstrap.mjs` prints the same folder. */
export function cacheDir(): string {
  const chosen = process.env["KEYVAULT_INJECTOR_CACHE"];
  if (chosen !== undefined && chosen !== "") return path.resolve(chosen);
  const base = process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache");
  return path.join(base, "keyvault-injector");
}

/** Short digest of files, for naming a cache folder after what it was made from. */
export function digestOf(files: readonly string[]): string {
  const digest = createHash("sha256");
  for (const file of [...files].sort()) digest.update(path.basename(file)).update("\0").update(readFileSync(file)).update("\0");
  return digest.digest("hex").slice(0, 12);
}
