import { type Command, type CommandContext, CommandFailure, type CommandResult, EXIT } from "./command.ts";
import { completionOf } from "./completion/command.ts";
import { doctor } from "./doctor/command.ts";
import { explain } from "./explain/command.ts";
import { grants } from "./grants/command.ts";
import { describeOption, optionsOf, parseArguments, type RefusedArguments, valueOf } from "./options.ts";
import { render } from "./render/command.ts";
import { restore } from "./restore/command.ts";
import { uninstall } from "./uninstall/command.ts";

export const COMMANDS: readonly Command[] = [render, explain, doctor, grants, restore, uninstall, completionOf(() => COMMANDS)];

/** Runs one command from its arguments. A failure of the command itself is a result too. */
export async function runCommand(command: Command, argv: readonly string[], context: CommandContext): Promise<CommandResult> {
  const parsed = parseArguments(argv, command);
  if (!parsed.ok) return unusable(command, parsed.error, context);
  if (parsed.value.isHelpWanted) return { code: EXIT.fine, output: helpOf(command, context.program), notes: [] };
  try {
    return await command.run(parsed.value, context);
  } catch (error) {
    const problems = error instanceof CommandFailure ? [error.message] : bugText(error);
    return unusable(command, { problems, options: parsed.value.options }, context);
  }
}

/** Raised when a field is renamed, removed, or means something else. */
const REPORT_FORMAT = 1;

function unusable(
  { name, hasJsonReport }: Command,
  { problems, options }: RefusedArguments,
  { version, program }: CommandContext,
): CommandResult {
  const report = { report: "error", format: REPORT_FORMAT, version, command: name, problems };
  const isJson = hasJsonReport === true && valueOf(options, "output") === "json";
  return {
    code: EXIT.unusable,
    output: isJson ? `${JSON.stringify(report, null, 2)}\n` : "",
    notes: problems.map((problem) => `${program} ${name}: ${problem}`),
  };
}

/** Where a bug of ours is, without a message that may quote what the files hold. */
function bugText(error: unknown): readonly string[] {
  const frames = error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^ {4}at /.test(line)) : [];
  const name = error instanceof Error ? error.name : typeof error;
  return [[`${name}, a bug of ours; please report it:`, ...frames.slice(0, 8)].join("\n")];
}

/** `--help` of a command. */
export function helpOf(command: Command, program: string): string {
  const { name, summary, usage, details } = command;
  return [
    summary,
    "",
    `usage: ${program} ${[name, usage, "[options]"].filter((part) => part !== "").join(" ")}`,
    "",
    ...details,
    "",
    ...optionsOf(command).map(describeOption),
    "",
  ].join("\n");
}
