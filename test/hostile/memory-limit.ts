import { readFileSync } from "node:fs";
import type { ProductProcess } from "../support/cluster/product.ts";

/** Limits of the shipped containers plus one half, because a program that runs from sources needs more than the compiled one (MiB). */
const LIMITS: Readonly<Record<ProductProcess["role"], number>> = { webhook: 384, sync: 768 };
const EVERY_MS = 50;

/** Node's heap limit in the shipped container. */
export const HEAPS: Readonly<Record<ProductProcess["role"], string>> = {
  webhook: "--max-old-space-size=128",
  sync: "--max-old-space-size=256",
};

/** Kills a process that uses more memory than its container's limit, like the kernel. */
export function limitMemory(running: ProductProcess): void {
  const timer = setInterval(() => {
    if (residentMiB(running.pid) > LIMITS[running.role]) void running.kill();
  }, EVERY_MS);
  void running.exited.then(() => clearInterval(timer));
}

/** Returns 0 if the process has ended. */
function residentMiB(pid: number): number {
  try {
    const [, kib = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kib) / 1024;
  } catch {
    return 0;
  }
}
