import { existsSync } from "node:fs";
import path from "node:path";
// @ts-expect-error -- plain JavaScript without declarations: it runs on Node 20, before anything is installed.
import { cacheFolderFor } from "../../../tools/bootstrap/control-plane-assets.mjs";

/**
 * API servers that the product supports, the current one first. `test/run-tests.ts` gets the older one only for the suites that import this
 * file.
 */
export const API_SERVER_VERSIONS = ["1.36", "1.34"] as const;

export type ApiServerVersion = (typeof API_SERVER_VERSIONS)[number];

const MODULE = path.resolve(import.meta.dirname, "../../control-plane/1.34");

/** Path of the older kube-apiserver. The name of its folder in the cache contains a hash of its sources. */
export function olderApiServerFile(): string {
  return path.join(String(cacheFolderFor(MODULE)), "kube-apiserver");
}

/** Reason why the older API server is missing. Undefined if it is in the cache. */
export function olderRefusal(): string | undefined {
  if (existsSync(olderApiServerFile())) return undefined;
  return process.env["KEYVAULT_INJECTOR_NO_OLDER_API_SERVER"] ?? "kube-apiserver 1.34 is not in the cache yet; `npm test` gets it";
}
