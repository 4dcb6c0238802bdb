import { readFileSync } from "node:fs";
import path from "node:path";
import { build } from "../../../tools/build.ts";
import { IMAGE, imageFiles } from "../../../tools/image-files.ts";
import { nodeRuntimeImage } from "./node-images.ts";
import type { ImageSpec } from "./oci-image.ts";

/** Our own image from the Dockerfile's list of files, freshly built, under the name that the manifests use and others. */
export async function productImage(moreNames: readonly string[] = []): Promise<ImageSpec> {
  await build();
  const { version }: { version: string } = JSON.parse(readFileSync(path.resolve(import.meta.dirname, "../../../package.json"), "utf8"));
  const folder = IMAGE.folder.slice(1);
  return nodeRuntimeImage(
    [`${IMAGE.name}:${version}`, ...moreNames],
    imageFiles().map(({ path: file, source }) => ({ path: path.posix.join(folder, file), kind: "copy", source })),
    { user: IMAGE.user, entrypoint: [], command: IMAGE.command, workingDirectory: IMAGE.folder },
  );
}
