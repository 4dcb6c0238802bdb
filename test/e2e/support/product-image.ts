import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Additions, build } from "../../../tools/build.ts";
import { IMAGE, imageFiles } from "../../../tools/image-files.ts";
import { VERSION } from "../../../tools/repository-files.ts";
import { nodeRuntimeImage } from "./node-images.ts";
import type { ImageSpec } from "./oci-image.ts";

export interface ProductImageOptions {
  /** Names in addition to that in the manifests. */
  readonly names?: readonly string[] | undefined;
  /** Default: a separate folder, because suites build at the same time, and no additions. */
  readonly changed?: { readonly dist: string; readonly additions: Additions } | undefined;
}

/** Builds our own image from the Dockerfile's list of files. */
export async function productImage({ names = [], changed }: ProductImageOptions = {}): Promise<ImageSpec> {
  const { dist, additions } = changed ?? { dist: ownFolder(), additions: {} };
  await build(dist, additions);
  const folder = IMAGE.folder.slice(1);
  return nodeRuntimeImage(
    [`${IMAGE.name}:${VERSION}`, ...names],
    imageFiles(dist).map(({ path: file, source }) => ({ path: path.posix.join(folder, file), kind: "copy", source })),
    { user: IMAGE.user, entrypoint: IMAGE.entrypoint, workingDirectory: IMAGE.folder },
  );
}

function ownFolder(): string {
  return path.join(mkdtempSync(path.join(process.env["KEYVAULT_INJECTOR_STATE"] ?? tmpdir(), "image-")), "dist");
}
