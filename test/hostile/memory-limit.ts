import { readFileSync } from "node:fs";
import type { ProductProcess } from "../support/cluster/product.ts";

/** Of the shipped containers, and a half more: what runs from sources needs more than what is compiled (MiB). */
const LIMITS: Readonly<Record<ProductProcess["role"], number>> = { webhook: 384, sync: 768 };
const EVERY_MS = 50;

/** The heap that Node gives itself in the shipped container. */
export const HEAPS: Readonly<Record<ProductProcess["role"], string>> = {
  webhook: "--max-old-space-size=128",
  sync: "--max-old-space-size=256",
};

/** Ends a process that takes more memory than its container has, as the kernel does. */
export function limitMemory(running: ProductProcess): void {
  const timer = setInterval(() => {
    if (residentMiB(running.pid) > LIMITS[running.role]) void running.kill();
  }, EVERY_MS);
  void running.exited.then(() => clearInterval(timer));
}

/** 0 of a process that is gone. */
function residentMiB(pid: number): number {
  try {
    const [, kib = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kib) / 1024;
  } catch {
    return 0;
  }
}
