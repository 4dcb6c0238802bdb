import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import path from "node:path";

/** Folders where control groups are mounted: one per controller with version 1, one with version 2. */
export function mountPoints(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(" ")[4] ?? "");
}

/** The group under which the kubelet makes all of its own, so that what is left of it is known by its name. */
export function makeCgroup(name: string): void {
  for (const mount of mountPoints()) mkdirSync(path.join(mount, name), { recursive: true });
}

/** Why groups can't be made here; undefined where they can. */
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

/** Removes the group with everything in it; false while a process that is just ending still holds a part. */
export function removeCgroup(name: string): boolean {
  for (const folder of cgroupFolders(name)) removeTree(folder);
  return cgroupFolders(name).length === 0;
}

/** The files in a group's folder are the kernel's: only folders are removed, the deepest first. */
function removeTree(folder: string): void {
  try {
    for (const item of readdirSync(folder, { withFileTypes: true })) {
      if (item.isDirectory()) removeTree(path.join(folder, item.name));
    }
    rmdirSync(folder);
  } catch {
    // Busy or already gone: the caller looks again.
  }
}
