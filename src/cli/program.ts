import { nearestSpelling } from "../domain/spelling.ts";
import { PROCESSES } from "../runtime/setting.ts";
import { processHelp } from "../runtime/settings-help.ts";
import { completionOf } from "./completion/command.ts";
import { convert } from "./convert/command.ts";
import { dashboard } from "./dashboard/command.ts";
import { doctor } from "./doctor/command.ts";
import { explain } from "./explain/command.ts";
import { grants } from "./grants/command.ts";
import { refresh } from "./refresh/command.ts";
import { render } from "./render/command.ts";
import { restore } from "./restore/command.ts";
import { answered, type Command, type CommandContext, CommandFailure, type CommandResult, EXIT, reportText } from "./shared/command.ts";
import { describeOption, optionsOf, parseArguments, type RefusedArguments, valueOf } from "./shared/options.ts";
import { oneLine } from "./shared/terminal.ts";
import { uninstall } from "./uninstall/command.ts";
import { where } from "./where/command.ts";

export const COMMANDS: readonly Command[] = [
  render,
  explain,
  doctor,
  where,
  dashboard,
  refresh,
  grants,
  restore,
  convert,
  uninstall,
  completionOf(() => COMMANDS),
];

/** Runs one command from its arguments. A failure of the command itself is a result too. */
export async function runCommand(command: Command, argv: readonly string[], context: CommandContext): Promise<CommandResult> {
  return asTyped(await resultOf(command, argv, context), command, context);
}

async function resultOf(command: Command, argv: readonly string[], context: CommandContext): Promise<CommandResult> {
  const parsed = parseArguments(argv, command);
  if (!parsed.ok) return unusable(command, parsed.error, context);
  if (parsed.value.isHelpWanted) return answered(helpOf(command, context.shipped.program));
  try {
    return await command.run(parsed.value, context);
  } catch (error) {
    const problems = error instanceof CommandFailure ? [error.message] : bugText(error);
    return unusable(command, { problems, options: parsed.value.options }, context);
  }
}

/** Advice names the program as it was typed; what other programs read (JSON, manifests, completions) stays. */
function asTyped(result: CommandResult, command: Command, { shipped: { program } }: CommandContext): CommandResult {
  const advice = new RegExp(`\\bkeyvault-injector (?=(?:${COMMANDS.map(({ name }) => name).join("|")})\\b)`, "g");
  const spoken = (text: string): string => text.replaceAll(advice, () => `${program} `);
  const isSpoken =
    ["doctor", "explain", "restore", "uninstall", "where", "dashboard", "refresh"].includes(command.name) && !/^[[{]/.test(result.output);
  return { ...result, output: isSpoken ? spoken(result.output) : result.output, notes: result.notes.map(spoken) };
}

function unusable({ name, hasJsonReport }: Command, { problems, options }: RefusedArguments, { shipped }: CommandContext): CommandResult {
  const isJson = hasJsonReport === true && valueOf(options, "output") === "json";
  return {
    code: EXIT.unusable,
    output: isJson ? reportText("error", shipped, { command: name, problems }) : "",
    notes: problems.map((problem) => `${shipped.program} ${name}: ${problem}`),
  };
}

/** Where a bug of ours is, without a message that may quote what the files hold. */
function bugText(error: unknown): readonly string[] {
  const frames = error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^ {4}at /.test(line)) : [];
  const name = error instanceof Error ? error.name : typeof error;
  return [[`${name}, a bug; please report it:`, ...frames.slice(0, 8).map((frame) => frame.trim())].join(" ")];
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

const HELP_WORDS = ["help", "--help", "-h"];
const VERSION_WORDS = ["version", "--version", "-v"];

/** The program from all that stands behind its name to what it prints; the processes of the cluster aside. */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<CommandResult> {
  const result = await dispatched(argv, context);
  // They name what others wrote.
  return { ...result, notes: result.notes.map(oneLine) };
}

async function dispatched([word = "help", ...rest]: readonly string[], context: CommandContext): Promise<CommandResult> {
  if (HELP_WORDS.includes(word)) return rest.length > 1 ? refused(context, leaveOut("help", rest.slice(1))) : helpAbout(rest[0], context);
  if (VERSION_WORDS.includes(word)) return versionOf(word, rest, context);
  const command = COMMANDS.find(({ name }) => name === word);
  return command === undefined ? unknownCommand(word, context) : runCommand(command, rest, context);
}

function versionOf(word: string, rest: readonly string[], context: CommandContext): CommandResult {
  if (rest.length === 0) return answered(`${context.shipped.version}\n`);
  return rest.every((each) => HELP_WORDS.includes(each)) ? versionHelp(context) : refused(context, leaveOut(word, rest));
}

/** Of a command, of a process, or of the whole. */
function helpAbout(word: string | undefined, context: CommandContext): CommandResult {
  if (word === undefined || HELP_WORDS.includes(word)) return answered(programHelp(context));
  if (VERSION_WORDS.includes(word)) return versionHelp(context);
  const command = COMMANDS.find(({ name }) => name === word);
  if (command !== undefined) return answered(helpOf(command, context.shipped.program));
  const running = PROCESSES.find((name) => name === word);
  return running === undefined ? unknownCommand(word, context) : answered(processHelp(running));
}

function versionHelp({ shipped: { program } }: CommandContext): CommandResult {
  return answered(`Print the version, and nothing else.\n\nusage: ${program} version\n`);
}

/** What fits on a screen that is small: each command has its own help. */
function programHelp({ shipped: { program } }: CommandContext): string {
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

function leaveOut(word: string, rest: readonly string[]): string {
  return `unexpected ${rest.map((each) => JSON.stringify(each)).join(" ")} behind ${word}; leave it out`;
}

/** Commands first: the processes are what nobody types. */
const KNOWN = [...COMMANDS.map(({ name }) => name), "help", "version", ...PROCESSES];

function unknownCommand(word: string, context: CommandContext): CommandResult {
  const { program } = context.shipped;
  if (word.startsWith("-")) return refused(context, `${word} stands before the command; write ${program} COMMAND ${word}`);
  // Who wants to install is not told to take it out.
  const meant = word.startsWith("un") ? KNOWN : KNOWN.filter((name) => name !== "uninstall");
  const nearest = nearestSpelling(word, meant);
  const advice = nearest === undefined ? `see ${program} help` : `did you mean ${nearest}?`;
  return refused(context, `unknown command ${JSON.stringify(word)}; ${advice}`);
}

function refused({ shipped: { program } }: CommandContext, problem: string): CommandResult {
  return { code: EXIT.unusable, output: "", notes: [`${program}: ${problem}`] };
}
