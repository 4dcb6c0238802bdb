import { type Command, type CommandContext, CommandFailure, type CommandResult, EXIT } from "./command.ts";
import { completionOf } from "./completion/command.ts";
import { doctor } from "./doctor/command.ts";
import { explain } from "./explain/command.ts";
import { grants } from "./grants/command.ts";
import { describeOption, parseArguments } from "./options.ts";
import { render } from "./render/command.ts";
import { restore } from "./restore/command.ts";
import { uninstall } from "./uninstall/command.ts";

export const COMMANDS: readonly Command[] = [render, explain, doctor, grants, restore, uninstall, completionOf(() => COMMANDS)];

/** Runs one command from its arguments. A failure of the command itself is a result too. */
export async function runCommand(command: Command, argv: readonly string[], context: CommandContext): Promise<CommandResult> {
  const parsed = parseArguments(argv, command);
  if (!parsed.ok) return unusable(command, parsed.error);
  if (parsed.value.isHelpWanted) return { code: EXIT.fine, output: helpOf(command), notes: [] };
  try {
    return await command.run(parsed.value, context);
  } catch (error) {
    if (error instanceof CommandFailure) return unusable(command, [error.message]);
    throw error;
  }
}

function unusable({ name }: Command, problems: readonly string[]): CommandResult {
  return { code: EXIT.unusable, output: "", notes: problems.map((problem) => `keyvault-injector ${name}: ${problem}`) };
}

/** `--help` of a command. */
export function helpOf({ name, summary, usage, details, options }: Command): string {
  const described = [...options, "help" as const].map(describeOption);
  return [
    summary,
    "",
    `usage: keyvault-injector ${[name, usage, "[options]"].filter((part) => part !== "").join(" ")}`,
    "",
    ...details,
    "",
    ...described,
    "",
  ].join("\n");
}
