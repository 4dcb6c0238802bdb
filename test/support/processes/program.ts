import path from "node:path";

const VARIABLE = "KEYVAULT_INJECTOR_PROGRAM";

/** Program of our processes: the compiled one if a whole run has built it, otherwise the sources. */
export function program(): string {
  return process.env[VARIABLE] ?? path.resolve(import.meta.dirname, "../../../src/main.ts");
}

/**
 * Makes this process and the suites that it starts use this file. A whole run starts a thousand of our processes. The compiled program, as
 * in a release, needs a fifth of the CPU time to start.
 */
export function useProgram(main: string): void {
  process.env[VARIABLE] = main;
}
