/** Mutants that the simulation does not find, and the reasons. */
import type { Result } from "./results.ts";

export interface Survivor extends Pick<Result["mutant"], "file" | "from" | "to"> {
  readonly why: string;
}

export const SURVIVORS: readonly Survivor[] = [];

export function whyItSurvives({ file, from, to }: Result["mutant"]): string | undefined {
  return SURVIVORS.find((each) => each.file === file && each.from === from && each.to === to)?.why;
}
