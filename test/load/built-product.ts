import { mkdirSync } from "node:fs";
import path from "node:path";

import { build } from "../../tools/build.ts";
import { copyTo, imageFiles } from "../../tools/image-files.ts";

/** The image's files below the folder; resolves with the program's. */
export async function builtProduct(folder: string): Promise<string> {
  const dist = path.join(folder, "built");
  mkdirSync(folder, { recursive: true });
  await build(dist);
  copyTo(folder, imageFiles(dist));
  return path.join(folder, "dist/main.js");
}
