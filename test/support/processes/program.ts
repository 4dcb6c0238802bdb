import path from "node:path";

const VARIABLE = "KEYVAULT_INJECTOR_PROGRAM";

/** What runs as our processes: the compiled program, where a whole run has built it; otherwise the sources. */
export function program(): string {
  return process.env[VARIABLE] ?? path.resolve(import.meta.dirname, "../../../src/main.ts");
}

/**
 * From here on it is this file, also for the suites that this process starts. A whole run starts a thousand processes of ours: compiled, as
 * they are released, they start in a fifth of the CPU time.
 */
export function useProgram(main: string): void {
  process.env[VARIABLE] = main;
}
