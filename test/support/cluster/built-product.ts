import { mkdirSync } from "node:fs";
import path from "node:path";

import { build } from "../../../tools/build.ts";
import { copyTo, imageFiles } from "../../../tools/image-files.ts";
import { useProgram } from "../processes/program.ts";
import { builtCommit, findCommit } from "./built-commit.ts";
import { MANIFESTS } from "./shipped-manifests.ts";

/** A build of the product that a test can run like a user. */
export interface ProductBuild {
  readonly name: string;
  /** The compiled program. */
  readonly main: string;
  /** Folder with the manifests that install it. */
  readonly manifests: string;
}

const MAIN = "dist/main.js";

/** Builds this checkout into the folder. */
export async function builtProduct(folder: string): Promise<ProductBuild> {
  const dist = path.join(folder, "built");
  mkdirSync(folder, { recursive: true });
  await build(dist);
  copyTo(folder, imageFiles(dist));
  return { name: "keyvault-injector", main: path.join(folder, MAIN), manifests: MANIFESTS };
}

/** Makes this run start its processes from the compiled program instead of the sources. */
export async function compileProgram(): Promise<void> {
  const folder = process.env["KEYVAULT_INJECTOR_STATE"];
  if (folder !== undefined) useProgram((await builtProduct(path.join(folder, "program"))).main);
}

/** The build of the revision in `--against`. Throws if this clone does not have the commit. */
export function buildAt(revision: string): ProductBuild {
  const commit = findCommit(revision);
  if (commit === undefined) throw new Error(`--against ${revision}: no such commit in this clone; git fetch --unshallow may bring it`);
  const { image, manifests } = builtCommit(commit);
  return { name: commit.slice(0, 7), main: path.join(image, MAIN), manifests };
}
