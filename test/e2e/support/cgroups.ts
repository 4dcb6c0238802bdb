import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import path from "node:path";

/** Folders where control groups are mounted: one per controller with version 1, one with version 2. */
export function mountPoints(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(" ")[4] ?? "");
}

/** Creates the group under which the kubelet creates all its own groups, so that leftovers are found by name. */
export function makeCgroup(name: string): void {
  for (const mount of mountPoints()) mkdirSync(path.join(mount, name), { recursive: true });
}

/** Reason why groups cannot be created here. Undefined if they can. */
export function cgroupsRefusal(): string | undefined {
  const probe = `keyvault-injector-probe-${process.pid}`;
  try {
    if (mountPoints().length === 0) return "a real node needs control groups, and none are mounted";
    makeCgroup(probe);
    return undefined;
  } catch (error) {
    return `a real node needs to make control groups: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    removeCgroup(probe);
  }
}

/** Folders of the group that still exist. */
export function cgroupFolders(name: string): string[] {
  return mountPoints()
    .map((mount) => path.join(mount, name))
    .filter(existsSync);
}

/** Removes the group with all its subgroups. Returns false while a process that is ending still uses one. */
export function removeCgroup(name: string): boolean {
  for (const folder of cgroupFolders(name)) removeTree(folder);
  return cgroupFolders(name).length === 0;
}

/** The kernel owns the files in a group's folder. Only folders can be removed, the deepest first. */
function removeTree(folder: string): void {
  try {
    for (const item of readdirSync(folder, { withFileTypes: true })) {
      if (item.isDirectory()) removeTree(path.join(folder, item.name));
    }
    rmdirSync(folder);
  } catch {
    // Busy or already removed: the caller checks again.
  }
}
