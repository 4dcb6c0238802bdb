/** Packages that a suite or a picture needs and the product does not: locked apart, and installed when they are first needed. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "../../../tools/cache-folder.ts";
import { npmEnvironment } from "../../../tools/release/npm.ts";
import { digestOf } from "../../e2e/support/cache.ts";

const INSTALL_WITHIN_MS = 300_000;
const FLAGS = ["ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"];

function filesOf(locked: string): readonly string[] {
  return ["package.json", "package-lock.json"].map((file) => path.resolve(import.meta.dirname, "../..", locked, file));
}

/**
 * The folder in the cache whose `node_modules` has the packages once {@link installRefusal} has installed them. `locked` is the folder below
 * `test` that has the `package.json` and its lock file.
 */
export function installFolder(locked: string): string {
  return path.join(cacheFolder(), `${path.basename(locked)}-${digestOf(filesOf(locked))}`);
}

/** Installs the packages into the cache, once. Returns the reason if npm cannot install them. */
export function installRefusal(locked: string): string | undefined {
  const folder = installFolder(locked);
  if (existsSync(folder)) return undefined;
  mkdirSync(cacheFolder(), { recursive: true });
  const made = mkdtempSync(path.join(cacheFolder(), `${path.basename(locked)}-new-`));
  for (const file of filesOf(locked)) copyFileSync(file, path.join(made, path.basename(file)));
  const { status, stderr } = spawnSync("npm", FLAGS, { cwd: made, env: npmEnvironment(), encoding: "utf8", timeout: INSTALL_WITHIN_MS });
  try {
    if (status !== 0) return `test/${locked} cannot be installed: npm ci: ${stderr.split("\n")[0] ?? ""}`;
    renameSync(made, folder);
  } catch (error) {
    // Another suite installed them first.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return undefined;
}
