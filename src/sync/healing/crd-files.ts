import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { loadAll } from "js-yaml";
import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";

/** Reads the CRDs that this version ships, from the same files that are applied at install. Throws if the folder contains none. */
export function readCrds(folder: string): readonly CustomResourceDefinition[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  const crds = crdsIn(files.sort().map((file) => readFileSync(path.join(folder, file), "utf8")));
  if (crds.length === 0) throw new Error(`no CustomResourceDefinition in ${folder}; point --crds-dir at the folder of the CRD manifests`);
  return crds;
}

/** Returns the CRDs in the texts of such files, in the same order. */
export function crdsIn(texts: readonly string[]): readonly CustomResourceDefinition[] {
  return texts.flatMap((text): unknown[] => loadAll(text)).filter(isCrd);
}

function isCrd(value: unknown): value is CustomResourceDefinition {
  return typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "CustomResourceDefinition";
}
