// @ts-expect-error -- plain JavaScript without declarations: it runs on Node 20, before anything is installed.
import { cacheFolder as chosenFolder } from "./bootstrap/control-plane-assets.mjs";

/** Where built and downloaded files are kept between runs. `tools/bootstrap.mjs` prints the same folder. */
export const cacheFolder: () => string = chosenFolder;
