import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";

export type Layer = "unit" | "property" | "integration" | "contract" | "e2e" | "install" | "release" | "first-hour" | "peers" | "rights";

/** Test files of the layers, in a stable order, relative to the checkout. */
export function testFiles(layers: readonly Layer[]): readonly string[] {
  const root = path.resolve(import.meta.dirname, "..");
  return layers.flatMap((layer) => globSync(`test/${layer}/**/*.test.ts`, { cwd: root }).sort());
}

/** Number of test files that run at the same time. A suite with a control plane needs about 1 GiB, and waits a third of its time. */
export const LANES = Math.max(3, Math.ceil(availableParallelism() * 1.5));
