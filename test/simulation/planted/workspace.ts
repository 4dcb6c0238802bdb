/** A copy of the files that the simulation needs. The caller can change them freely. */
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../../..");

/** `src`, and the other files that the simulation imports or reads. */
const PARTS = ["src", "test/simulation", "test/support", "tools", "manifests", "certs", "package.json", "tsconfig.json"];

export interface Workspace {
  readonly folder: string;
  remove(): void;
}

export function copyWorkspace(): Workspace {
  const folder = mkdtempSync(path.join(process.env["KEYVAULT_INJECTOR_STATE"] ?? tmpdir(), "planted-"));
  for (const part of PARTS) cpSync(path.join(ROOT, part), path.join(folder, part), { recursive: true });
  symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"), "dir");
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
