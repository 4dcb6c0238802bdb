import { IMAGE } from "../../../tools/image-files.ts";
import { nodeRuntimeImage } from "../../e2e/support/node-images.ts";
import { entriesUnder, type ImageSpec } from "../../e2e/support/oci-image.ts";
import { builtCommit, findCommit, isBuilt } from "../../support/cluster/built-commit.ts";

/** A released version and its commit in this repository's history. */
export const RELEASE = { version: "0.3.0", commit: "b5c379591fc61cdb7547fb5cce3b6b7b101662fc" } as const;

/** Reason why that version cannot be built here. Undefined if it can. */
export function releaseRefusal(): string | undefined {
  if (isBuilt(RELEASE.commit) || findCommit(RELEASE.commit) !== undefined) return undefined;
  return `the commit of ${RELEASE.version} is not in this clone's history: git fetch --unshallow`;
}

/** The image of the release, built from its own sources with its own tools. */
export function releasedImage(): ImageSpec {
  const { image } = builtCommit(RELEASE.commit);
  const { folder: into, user } = IMAGE;
  // As in its own Dockerfile.
  const config = { user, entrypoint: [], command: ["node", "dist/main.js"], workingDirectory: into };
  return nodeRuntimeImage([`${IMAGE.name}:${RELEASE.version}`], entriesUnder(image, into.slice(1)), config);
}
