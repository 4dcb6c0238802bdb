// @ts-expect-error -- plain JavaScript without declarations: it runs on Node 20, before anything is installed.
import { cacheFolder as chosenFolder } from "./bootstrap/control-plane-assets.mjs";

/** Folder that keeps built and downloaded files between runs, the same as in `tools/bootstrap.mjs`. */
export const cacheFolder: () => string = chosenFolder;
