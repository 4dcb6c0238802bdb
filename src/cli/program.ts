import { spellingAdvice } from "../domain/spelling.ts";
import { PROCESSES } from "../runtime/settings.ts";
import { processHelp } from "../runtime/settings-help.ts";
import { type CommandContext, type CommandResult, EXIT } from "./command.ts";
import { COMMANDS, helpOf, runCommand } from "./commands.ts";

const HELP_WORDS = ["help", "--help", "-h"];
const VERSION_WORDS = ["version", "--version", "-v"];

/** The program from all that stands behind its name to what it prints; the processes of the cluster aside. */
export async function runProgram([word = "help", ...rest]: readonly string[], context: CommandContext): Promise<CommandResult> {
  if (HELP_WORDS.includes(word)) return helpAbout(rest[0], context);
  if (VERSION_WORDS.includes(word)) return said(`${context.version}\n`);
  const command = COMMANDS.find(({ name }) => name === word);
  return command === undefined ? unknownCommand(word, context) : runCommand(command, rest, context);
}

/** Of a command, of a process, or of the whole. */
function helpAbout(word: string | undefined, context: CommandContext): CommandResult {
  if (word === undefined || HELP_WORDS.includes(word)) return said(programHelp(context));
  const command = COMMANDS.find(({ name }) => name === word);
  if (command !== undefined) return said(helpOf(command, context.program));
  const running = PROCESSES.find((name) => name === word);
  return running === undefined ? unknownCommand(word, context) : said(processHelp(running));
}

/** What fits on a screen that is small: each command has its own help. */
function programHelp({ program }: CommandContext): string {
  const rows = [
    ...COMMANDS.map(({ name, summary }) => [name, summary] as const),
    [PROCESSES.join(", "), "The processes that run in the cluster."] as const,
  ];
  const lines = rows.map(([name, summary]) => `  ${name.padEnd(13)} ${summary}`);
  return [
    "Azure Key Vault secrets in pods, and as Kubernetes Secrets.",
    ...lines,
    `${program} COMMAND --help has more, and ${program} version prints the version.`,
    "",
  ].join("\n");
}

function unknownCommand(word: string, { program }: CommandContext): CommandResult {
  const known = [...PROCESSES, ...COMMANDS.map(({ name }) => name), "help", "version"];
  // Who wants to install is not told to take it out.
  const meant = word.startsWith("un") ? known : known.filter((name) => name !== "uninstall");
  return {
    code: EXIT.unusable,
    output: "",
    notes: [`${program}: unknown command ${JSON.stringify(word)}; ${spellingAdvice(word, meant)}`],
  };
}

function said(output: string): CommandResult {
  return { code: EXIT.fine, output, notes: [] };
}
