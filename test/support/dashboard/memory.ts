import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** Number of bytes per read. */
const STEP = 8 * 1024 * 1024;

/** Needles that the writable memory of a process contains: heap, buffers, stacks. Only on Linux, and for our own processes. */
export function foundInMemory(pid: number, needles: readonly Buffer[]): { readonly found: readonly Buffer[]; readonly bytes: number } {
  const longest = Math.max(...needles.map(({ length }) => length));
  const found = new Set<Buffer>();
  const file = openSync(`/proc/${pid}/mem`, "r");
  const buffer = Buffer.alloc(STEP + longest);
  let bytes = 0;
  try {
    for (const [from, to] of regionsOf(pid).flatMap(stepsOf)) {
      const read = readAt(file, buffer, Math.min(STEP + longest, to - from), from);
      bytes += read;
      for (const needle of needles.filter((each) => buffer.subarray(0, read).includes(each))) found.add(needle);
    }
  } finally {
    closeSync(file);
  }
  return { found: [...found], bytes };
}

type Region = readonly [from: number, to: number];

function stepsOf([from, to]: Region): readonly Region[] {
  return Array.from({ length: Math.ceil((to - from) / STEP) }, (_, index) => [from + index * STEP, to] as const);
}

function regionsOf(pid: number): readonly Region[] {
  return readFileSync(`/proc/${pid}/maps`, "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, from, to, mode] = /^([0-9a-f]+)-([0-9a-f]+) (\S{4})/.exec(line) ?? [];
      if (from === undefined || to === undefined || mode?.startsWith("rw") !== true) return [];
      return [[Number.parseInt(from, 16), Number.parseInt(to, 16)] as const];
    });
}

/** Another thread may unmap a page during the read. */
function readAt(file: number, buffer: Buffer, length: number, at: number): number {
  try {
    return readSync(file, buffer, 0, length, at);
  } catch {
    return 0;
  }
}
