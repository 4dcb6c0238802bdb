import { readdirSync, readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";

/** Unit of the kernel's counters in /proc, the same on every architecture. */
const TICKS_PER_SECOND = 100;

const GIB = 2 ** 30;

/** Returns one line: cores, memory, and the load of the machine before the benchmark. */
export function describeMachine(): string {
  const [cpu] = cpus();
  const load = loadavg()[0] ?? Number.NaN;
  return `${cpus().length} cores, ${cpu?.model ?? "unknown"}, ${(totalmem() / GIB).toFixed(0)} GiB; load before the run ${load.toFixed(2)}`;
}

/**
 * Measures from this call on: the returned function returns the number of cores that processes outside this process tree used, or that the
 * hypervisor gave to other machines.
 */
export function watchOthers(): () => number {
  const [began, busy, own] = [performance.now(), busyTicks(), ownTicks()];
  return () => {
    const ticks = busyTicks() - busy - (ownTicks() - own);
    return Math.max(0, ticks / TICKS_PER_SECOND / ((performance.now() - began) / 1_000));
  };
}

/** Returns the time of all cores except idle time: https://man7.org/linux/man-pages/man5/proc_stat.5.html */
function busyTicks(): number {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(/\s+/).slice(1).map(Number);
  return user + nice + system + irq + softirq + steal;
}

interface Usage {
  readonly parent: number;
  /** CPU time of the process, and of its children that have ended. */
  readonly ticks: number;
}

function ownTicks(): number {
  const all = new Map(readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? usageOf(Number(name)) : [])));
  const isOwn = (pid: number): boolean => {
    for (let at = pid; at > 1; at = all.get(at)?.parent ?? 0) if (at === process.pid) return true;
    return false;
  };
  return [...all].reduce((sum, [pid, { ticks }]) => (isOwn(pid) ? sum + ticks : sum), 0);
}

function usageOf(pid: number): readonly (readonly [number, Usage])[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name may contain spaces. It ends at the last bracket.
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    return [[pid, { parent: fields[1] ?? 0, ticks: fields.slice(11, 15).reduce((sum, each) => sum + each, 0) }]];
  } catch {
    // The process has ended.
    return [];
  }
}
