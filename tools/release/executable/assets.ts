/** Names of the executable's assets. */
export const VERSION = "version";
export const CRDS = "crds/";
