import path from "node:path";

const PROGRAM = "keyvault-injector";

/** kubectl runs `kubectl-keyvault` of PATH for `kubectl keyvault`; krew makes it a link to the program. */
const PLUGIN = /^kubectl-keyvault(?:\.(?:exe|cmd|js|mjs|ts))?$/i;

/**
 * What people type to run the program, for its help and messages. From the names that it was started by: a single executable is named
 * by `argv0` alone, a script by its path.
 */
export function programName(startedBy: readonly (string | undefined)[]): string {
  const isPlugin = startedBy.some((name) => PLUGIN.test(path.basename((name ?? "").replaceAll("\\", "/"))));
  return isPlugin ? "kubectl keyvault" : PROGRAM;
}
