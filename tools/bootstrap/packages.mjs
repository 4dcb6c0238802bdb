// Compares node_modules with package-lock.json by the list that npm writes into node_modules, so that an `npm ci` by hand also counts.
import { readFileSync } from "node:fs";
import path from "node:path";

/** Undefined if the installed packages are the locked ones, otherwise the first difference in words. */
export function packagesDifference(root) {
  const locked = packagesIn(path.join(root, "package-lock.json"));
  const installed = packagesIn(path.join(root, "node_modules", ".package-lock.json"));
  if (installed.size === 0) return "no packages are installed";
  for (const [place, wanted] of locked) {
    const found = installed.get(place);
    // Binaries for other platforms are optional and not installed here.
    if (found === undefined && wanted.optional !== true) return `${place} is not installed`;
    if (found !== undefined && (found.version !== wanted.version || found.integrity !== wanted.integrity))
      return `${place} is ${found.version}, not the locked ${wanted.version}`;
  }
  const extra = [...installed.keys()].find((place) => !locked.has(place));
  return extra === undefined ? undefined : `${extra} is installed and not locked`;
}

/** Packages of a lock file by their path in the tree. Empty if the file does not exist. The checkout itself is not a package. */
function packagesIn(file) {
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return new Map();
    throw error;
  }
  return new Map(Object.entries(JSON.parse(text).packages).filter(([place]) => place !== ""));
}
