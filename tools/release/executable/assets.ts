/** Names of what the executable carries besides its code. */
export const VERSION = "version";
export const CRDS = "crds/";
