/** Public images in a local registry, under the same paths as in their own registries. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { type Descriptor, REF_NAME } from "../../../tools/release/oci-layout.ts";
import { Registry } from "../../../tools/release/registry.ts";
import { type ImageSpec, writeImageArchive } from "../../e2e/support/oci-image.ts";

/** Pushes the images to `host`. Writes temporary files to the folder `scratch`. Returns the hosts in the images' names. */
export async function fillRegistry(host: string, images: readonly ImageSpec[], scratch: string): Promise<readonly string[]> {
  const registry = new Registry(host);
  const hosts = new Set<string>();
  for (const image of images) {
    for (const name of image.names) {
      const [where = "", ...repository] = name.split("/");
      const layout = await shardCountOf(image, repository.join("/"), scratch);
      await registry.pushLayout(layout);
      rmSync(layout, { recursive: true });
      hosts.add(where);
    }
  }
  return [...hosts];
}

/** Writes an image layout that names the image `<repository>:<tag>`. */
async function shardCountOf(image: ImageSpec, reference: string, scratch: string): Promise<string> {
  const layout = mkdtempSync(path.join(scratch, "image-"));
  const archive = `${layout}.tar`;
  writeImageArchive(archive, image);
  await promisify(execFile)("tar", ["-xf", archive, "-C", layout]);
  rmSync(archive);
  const file = path.join(layout, "index.json");
  const index: { readonly manifests: readonly Descriptor[] } = JSON.parse(readFileSync(file, "utf8"));
  const manifests = index.manifests.slice(0, 1).map((manifest) => ({ ...manifest, annotations: { [REF_NAME]: reference } }));
  writeFileSync(file, JSON.stringify({ ...index, manifests }));
  return layout;
}
