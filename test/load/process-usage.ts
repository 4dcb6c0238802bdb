import { readdirSync, readFileSync } from "node:fs";

const KIB = 1024;

/** Returns the CPU time of all threads of a process so far, in nanoseconds. The kernel's scheduler counts it exactly. */
export function cpuNanoseconds(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]))
    .reduce((sum, each) => sum + each, 0);
}

export function residentMiB(pid: number): number {
  return statusKilobytes(pid, "VmRSS") / KIB;
}

/** Returns the largest resident set so far, in MiB. */
export function peakMiB(pid: number): number {
  return statusKilobytes(pid, "VmHWM") / KIB;
}

function statusKilobytes(pid: number, name: string): number {
  const [, kilobytes = "0"] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes);
}
