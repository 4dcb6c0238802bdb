import path from "node:path";

const PROGRAM = "keyvault-injector";

/** For `kubectl keyvault`, kubectl runs `kubectl-keyvault` from PATH. krew makes it a link to the program. */
const PLUGIN = /^kubectl-keyvault(?:\.(?:exe|cmd|js|mjs|ts))?$/i;

/**
 * Returns the command that users type to run the program, for its help and messages. Derives it from the names with which the program was
 * started: only `argv0` names a single executable, and its path names a script.
 */
export function programName(startedBy: readonly (string | undefined)[]): string {
  const isPlugin = startedBy.some((name) => PLUGIN.test(path.basename((name ?? "").replaceAll("\\", "/"))));
  return isPlugin ? "kubectl keyvault" : PROGRAM;
}
