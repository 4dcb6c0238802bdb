import { monotonicClock } from "../domain/ports/clock.ts";
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
import {
  answered,
  type Cluster,
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandResult,
  EXIT,
  reportText,
} from "./shared/command.ts";
import { commandFirst, describeOption, optionsOf, parseArguments, type RefusedArguments, valueOf } from "./shared/options.ts";
import { withRepeatedReads } from "./shared/repeated-reads.ts";
import { oneLine } from "./shared/terminal.ts";
import { uninstall } from "./uninstall/command.ts";
import { version } from "./version/command.ts";
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
  version,
  completionOf(() => COMMANDS),
];

/** Runs one command with its arguments. Returns a result also if the command fails. */
export async function runCommand(command: Command, argv: readonly string[], context: CommandContext): Promise<CommandResult> {
  return asTyped(await resultOf(command, argv, context), command, context);
}

async function resultOf(command: Command, argv: readonly string[], context: CommandContext): Promise<CommandResult> {
  const parsed = parseArguments(argv, command);
  if (!parsed.ok) return unusable(command, parsed.error, context);
  if (parsed.value.isHelpWanted) return answered(helpOf(command, context.shipped.program));
  try {
    return await command.run(parsed.value, contextOfCommand(context));
  } catch (error) {
    const problems = error instanceof CommandFailure ? [error.message] : bugText(error);
    return unusable(command, { problems, options: parsed.value.options }, context);
  }
}

/**
 * Returns the context of one command. Its clock follows that of the API server: objects have the times of the cluster, and the clock of a
 * virtual machine may be minutes late after a sleep.
 */
function contextOfCommand(context: CommandContext): CommandContext {
  const { clock } = context;
  const steady = monotonicClock(clock);
  let opened: Cluster | undefined;
  return {
    ...context,
    clock: {
      now: () => clock.now() + (opened?.offsetMs?.() ?? 0),
      monotonic: () => steady.now(),
      sleep: (milliseconds, signal) => clock.sleep(milliseconds, signal),
    },
    openCluster: async (access) => {
      opened = withRepeatedReads(await context.openCluster(access), clock);
      return opened;
    },
  };
}

/** Replaces the program's name in advice by what the user typed. Keeps what other programs read (JSON, manifests, completions). */
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

/** Describes where a bug is, without the error's message, which may quote the content of files. */
function bugText(error: unknown): readonly string[] {
  const frames = error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^ {4}at /.test(line)) : [];
  const name = error instanceof Error ? error.name : typeof error;
  return [[`${name}, a bug; please report it:`, ...frames.slice(0, 8).map((frame) => frame.trim())].join(" ")];
}

/** Matches the place where an example calls the program, and not a command of the shell. */
const CALL = /(^|\| |<\()keyvault-injector(?= )/;

/** Returns the `--help` text of a command. */
function helpOf(command: Command, program: string): string {
  const { name, summary, usage, details, examples } = command;
  return [
    summary,
    "",
    `usage: ${program} ${[name, usage, "[options]"].filter((part) => part !== "").join(" ")}`,
    "",
    ...details,
    "",
    "examples:",
    ...examples.flatMap(({ result, typed }) => [`  # ${result}`, `  ${typed.replace(CALL, `$1${program}`)}`]),
    "",
    ...optionsOf(command).map(describeOption),
    "",
  ].join("\n");
}

const HELP_WORDS = ["help", "--help", "-h"];
const VERSION_OPTIONS = ["--version", "-v"];

/** Options that replace a command. */
const SPECIAL_OPTIONS = [...HELP_WORDS, ...VERSION_OPTIONS];

/** Runs the program with all its arguments, except for the processes of the cluster. */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<CommandResult> {
  const result = await dispatched(argv, context);
  // Notes contain names that others wrote.
  return { ...result, notes: result.notes.map(oneLine) };
}

async function dispatched(argv: readonly string[], context: CommandContext): Promise<CommandResult> {
  const [word = "help", ...rest] = SPECIAL_OPTIONS.includes(argv[0] ?? "") ? argv : commandFirst(argv);
  if (HELP_WORDS.includes(word)) return rest.length > 1 ? refused(context, leaveOut("help", rest.slice(1))) : helpAbout(rest[0], context);
  const command = commandNamed(word);
  return command === undefined ? unknownCommand(word, context) : runCommand(command, rest, context);
}

/** Returns the command with the name. For `version`, also accepts the options that other programs use. */
function commandNamed(word: string): Command | undefined {
  return VERSION_OPTIONS.includes(word) ? version : COMMANDS.find(({ name }) => name === word);
}

/** Returns the help of a command, of a process, or of the whole program. */
function helpAbout(word: string | undefined, context: CommandContext): CommandResult {
  if (word === undefined || HELP_WORDS.includes(word)) return answered(programHelp(context));
  const command = commandNamed(word);
  if (command !== undefined) return answered(helpOf(command, context.shipped.program));
  const running = PROCESSES.find((name) => name === word);
  return running === undefined ? unknownCommand(word, context) : answered(processHelp(running));
}

/** Returns a short overview that fits on a small screen, because each command has its own help. */
function programHelp({ shipped: { program } }: CommandContext): string {
  const rows = [
    ...COMMANDS.map(({ name, summary }) => [name, summary] as const),
    [PROCESSES.join(", "), "The processes that the install's pods run."] as const,
  ];
  const lines = rows.map(([name, summary]) => `  ${name.padEnd(13)} ${summary}`);
  return [
    "Deliver Azure Key Vault secrets to pods and Kubernetes Secrets.",
    ...lines,
    `Run ${program} COMMAND --help for details.`,
    "",
  ].join("\n");
}

function leaveOut(word: string, rest: readonly string[]): string {
  return `unexpected ${rest.map((each) => JSON.stringify(each)).join(" ")} after ${word}; remove it`;
}

/** Commands come first, because users do not type the names of processes. */
const KNOWN = [...COMMANDS.map(({ name }) => name), "help", ...PROCESSES];

/** Names that kubectl, Helm, Flux, and istioctl have for the same task. */
const NAMES_ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ...["get", "describe"].map((word) => [word, "explain"] as const),
  ...["status", "check", "analyze"].map((word) => [word, "doctor"] as const),
  ...["template", "lint", "validate", "inject", "diff"].map((word) => [word, "render"] as const),
  ...["reconcile", "rotate"].map((word) => [word, "refresh"] as const),
  ["migrate", "convert"],
]);

/** The README's first command is not part of this program. */
const DEMO = "the demo runs from a checkout: npm run demo -- --help";

function unknownCommand(word: string, context: CommandContext): CommandResult {
  const { program } = context.shipped;
  if (word === "demo") return refused(context, `unknown command "demo"; ${DEMO}`);
  if (word.startsWith("-")) return refused(context, `no command after ${word}; write ${program} COMMAND ${word}`);
  if (PROCESSES.some((name) => name === word))
    return refused(context, `options of ${word} must follow it; write ${program} ${word} OPTIONS`);
  // Does not suggest `uninstall` to a user who wants to install.
  const meant = word.startsWith("un") ? KNOWN : KNOWN.filter((name) => name !== "uninstall");
  const nearest = NAMES_ELSEWHERE.get(word) ?? nearestSpelling(word, meant);
  const advice = nearest === undefined ? `see ${program} help` : `did you mean ${nearest}?`;
  return refused(context, `unknown command ${JSON.stringify(word)}; ${advice}`);
}

function refused({ shipped: { program } }: CommandContext, problem: string): CommandResult {
  return { code: EXIT.unusable, output: "", notes: [`${program}: ${problem}`] };
}
