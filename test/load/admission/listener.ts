import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const LISTENING = "0A";

/** Returns the process that listens on a local TCP port. */
export function listenerOf(port: number): number {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const inodes = ["tcp", "tcp6"]
    .flatMap((table) => readFileSync(`/proc/net/${table}`, "utf8").split("\n"))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = "", , state]) => state === LISTENING && local.endsWith(`:${wanted}`))
    .map((fields) => `socket:[${fields[9] ?? ""}]`);
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (openFilesOf(pid).some((target) => inodes.includes(target))) return Number(pid);
  }
  throw new Error(`nobody listens on port ${port}`);
}

/** Returns the open files. Empty for a process that has ended. */
function openFilesOf(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((file) => readlinkSync(`/proc/${pid}/fd/${file}`));
  } catch {
    return [];
  }
}
