import { readFileSync } from "node:fs";

/** Clock ticks on Linux, in which `/proc` counts CPU time. */
const TICKS_PER_SECOND = 100;

/** Returns the CPU seconds that a process has used; undefined if they cannot be read. */
export function cpuSecondsOf(pid: number | undefined): number | undefined {
  try {
    const fields =
      readFileSync(`/proc/${pid ?? 0}/stat`, "utf8")
        .split(") ")[1]
        ?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}
