import { execFileSync } from "node:child_process";
import path from "node:path";
import { programRefusal } from "../e2e/support/binaries.ts";

const MODULES = path.resolve(import.meta.dirname, "../e2e/go");

/** The modules whose files the tests read, and the folder of the go.mod that pins their version and checksum. */
const READ = {
  "sigs.k8s.io/secrets-store-csi-driver": "driver",
  "github.com/Azure/secrets-store-csi-driver-provider-azure": "azure-provider",
  "sigs.k8s.io/gateway-api": "gateway-api",
} as const;

export type ReadModule = keyof typeof READ;

/** Returns the reason why the modules are not available here. Undefined if they are. */
export function moduleRefusal(): string | undefined {
  return programRefusal(["secrets-store-csi-driver-provider-azure"]);
}

/** Returns the folder of an upstream module in Go's cache, verified against go.sum. This repository contains no copy of it. */
export function moduleFolder(module: ReadModule): string {
  const answer = execFileSync("go", ["mod", "download", "-json", module], { cwd: path.join(MODULES, READ[module]), encoding: "utf8" });
  const { Dir } = JSON.parse(answer) as { readonly Dir?: string }; // As `go help mod download` describes it.
  if (Dir === undefined) throw new Error(`go mod download names no folder of ${module}: ${answer}`);
  return Dir;
}
