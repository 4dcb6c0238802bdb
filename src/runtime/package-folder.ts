import { existsSync } from "node:fs";
import path from "node:path";

/**
 * Returns the package's own folder: the nearest one above this file that has a package.json, whether the code runs from `src` or compiled
 * into one file.
 */
export function packageFolder(from: string = import.meta.dirname): string {
  if (existsSync(path.join(from, "package.json"))) return from;
  const parent = path.dirname(from);
  if (parent === from) throw new Error(`no package.json above ${import.meta.dirname}: the install is incomplete`);
  return packageFolder(parent);
}
