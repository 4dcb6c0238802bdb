/** Types the commands of the page one after the other. */
import { readSteps } from "../../e2e/support/tutorial.ts";

export const PAGE = "docs/tutorial/five-commands.md";
/** Limits for one install method, including the secret in a pod. */
export const LIMITS = { commands: 5, seconds: 180 } as const;

export interface TypedCommand {
  readonly command: string;
  readonly seconds: number;
  readonly printed: string;
}

/** Returns the commands below a heading of the page, each on one line. */
export function commandsOf(heading: string): readonly string[] {
  const steps = readSteps(PAGE).filter((step) => step.heading === heading);
  return steps.flatMap(({ commands }) =>
    commands
      .replaceAll(/\s*\\\n\s*/g, " ")
      .trim()
      .split("\n"),
  );
}

/** Types the commands until one fails. Throws an error that names this command, with the failure as its cause. */
export async function typeAll(commands: readonly string[], type: (command: string) => Promise<string>): Promise<readonly TypedCommand[]> {
  const typed: TypedCommand[] = [];
  for (const command of commands) {
    const began = performance.now();
    const printed = await type(command).catch((error: unknown) => {
      throw new Error(`after ${(performance.now() - began).toFixed(0)} ms: ${command}`, { cause: error });
    });
    typed.push({ command, seconds: (performance.now() - began) / 1_000, printed });
  }
  return typed;
}

/** Returns the exceeded limits. Empty if there are none. */
export function excesses(typed: readonly TypedCommand[]): readonly string[] {
  const seconds = totalSeconds(typed);
  return [
    ...(typed.length > LIMITS.commands ? [`${typed.length} commands, and not ${LIMITS.commands}`] : []),
    ...(seconds > LIMITS.seconds ? [`${seconds.toFixed(0)} seconds, and not ${LIMITS.seconds}`] : []),
  ];
}

export function totalSeconds(typed: readonly TypedCommand[]): number {
  return typed.reduce((sum, { seconds }) => sum + seconds, 0);
}
