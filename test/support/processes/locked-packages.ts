/** Packages that a suite or a picture needs and the product does not: locked apart, and installed when they are first needed. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "../../../tools/cache-folder.ts";
import { npmEnvironment } from "../../../tools/release/npm.ts";
import { digestOf } from "../../e2e/support/cache.ts";

const INSTALL_WITHIN_MS = 300_000;
const FLAGS = ["ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"];

export interface LockedPackages {
  /** The folder below `test` that has the `package.json` and its lock file. */
  readonly locked: string;
  /** Beginning of the name of the folder in the cache. */
  readonly name: string;
}

function filesOf({ locked }: LockedPackages): readonly string[] {
  return ["package.json", "package-lock.json"].map((file) => path.resolve(import.meta.dirname, "../..", locked, file));
}

/** The folder in the cache whose `node_modules` has the packages once {@link installRefusal} has installed them. */
export function installFolder(packages: LockedPackages): string {
  return path.join(cacheFolder(), `${packages.name}-${digestOf(filesOf(packages))}`);
}

/** Installs the packages into the cache, once. Returns the reason if npm cannot install them. */
export function installRefusal(packages: LockedPackages): string | undefined {
  const folder = installFolder(packages);
  if (existsSync(folder)) return undefined;
  mkdirSync(cacheFolder(), { recursive: true });
  const made = mkdtempSync(path.join(cacheFolder(), `${packages.name}-new-`));
  for (const file of filesOf(packages)) copyFileSync(file, path.join(made, path.basename(file)));
  const { status, stderr } = spawnSync("npm", FLAGS, { cwd: made, env: npmEnvironment(), encoding: "utf8", timeout: INSTALL_WITHIN_MS });
  try {
    if (status !== 0) return `test/${packages.locked} cannot be installed: npm ci: ${stderr.split("\n")[0] ?? ""}`;
    renameSync(made, folder);
  } catch (error) {
    // Another suite installed them first.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return undefined;
}
