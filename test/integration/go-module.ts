import { execFileSync } from "node:child_process";
import path from "node:path";
import { programRefusal } from "../e2e/support/binaries.ts";

const MODULES = path.resolve(import.meta.dirname, "../e2e/go");

/** The modules whose files tests read, and the folder of the go.mod that pins their version and checksum. */
const READ = {
  "sigs.k8s.io/secrets-store-csi-driver": "driver",
  "github.com/Azure/secrets-store-csi-driver-provider-azure": "azure-provider",
  "sigs.k8s.io/gateway-api": "gateway-api",
} as const;

export type ReadModule = keyof typeof READ;

/** Why the modules can't be had here; undefined where they can. */
export function moduleRefusal(): string | undefined {
  return programRefusal(["secrets-store-csi-driver-provider-azure"]);
}

/** Folder of an upstream module in Go's cache, verified against go.sum. Nothing of it is kept in this repository. */
export function moduleFolder(module: ReadModule): string {
  const answer = execFileSync("go", ["mod", "download", "-json", module], { cwd: path.join(MODULES, READ[module]), encoding: "utf8" });
  const { Dir } = JSON.parse(answer) as { readonly Dir?: string }; // As `go help mod download` describes it.
  if (Dir === undefined) throw new Error(`go mod download names no folder of ${module}: ${answer}`);
  return Dir;
}
