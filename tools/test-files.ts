import { globSync } from "node:fs";
import path from "node:path";

export type Layer = "unit" | "property" | "integration" | "contract" | "e2e" | "install" | "release" | "first-hour" | "rights";

/** Test files of the layers, in a stable order, relative to the checkout. */
export function testFiles(layers: readonly Layer[]): readonly string[] {
  const root = path.resolve(import.meta.dirname, "..");
  return layers.flatMap((layer) => globSync(`test/${layer}/**/*.test.ts`, { cwd: root }).sort());
}
