import { existsSync } from "node:fs";
import path from "node:path";
// @ts-expect-error -- plain JavaScript without declarations: it runs on Node 20, before anything is installed.
import { cacheFolderFor } from "../../../tools/bootstrap/control-plane-assets.mjs";

/**
 * The API servers that the product promises to work on, the current one first. `test/run-tests.ts` gets the older one for
 * the suites that import this file, and for no others.
 */
export const API_SERVER_VERSIONS = ["1.36", "1.34"] as const;

export type ApiServerVersion = (typeof API_SERVER_VERSIONS)[number];

const MODULE = path.resolve(import.meta.dirname, "../../control-plane/1.34");

/** The older kube-apiserver; the folder in the cache is named after what it is made from. */
export function olderApiServerFile(): string {
  return path.join(String(cacheFolderFor(MODULE)), "kube-apiserver");
}

/** Why there is no older API server here; undefined where there is one. */
export function olderRefusal(): string | undefined {
  if (existsSync(olderApiServerFile())) return undefined;
  return process.env["KEYVAULT_INJECTOR_NO_OLDER_API_SERVER"] ?? "kube-apiserver 1.34 is not in the cache yet; `npm test` gets it";
}
