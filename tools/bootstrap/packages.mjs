// Whether node_modules holds the locked packages, by the list that npm itself leaves there: `npm ci` by hand counts.
import { readFileSync } from "node:fs";
import path from "node:path";

/** Undefined where the installed packages are the locked ones; else the first difference, in words. */
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

/** Packages of a lock file by their place in the tree; none where there is no file. The checkout itself is no package. */
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
