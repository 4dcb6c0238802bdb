import { shellQuoted } from "../../domain/shell-words.ts";
import { spellingAdvice } from "../../domain/spelling.ts";
import { PROCESSES } from "../../runtime/setting.ts";
import { answered, type Command, CommandFailure } from "../shared/command.ts";
import { type CommandOption, optionsOf } from "../shared/options.ts";

/** Returns the completion command. `commands` returns every command, this one included. */
export function completionOf(commands: () => readonly Command[]): Command {
  return {
    name: "completion",
    summary: "Print a completion script for bash, zsh, or fish.",
    usage: SHELLS.join("|"),
    details: ["To enable it permanently, add the line for your shell to its startup file.", "", "Exit code: 0, or 2 for another shell."],
    examples: [
      { result: "bash", typed: "source <(keyvault-injector completion bash)" },
      { result: "zsh, after compinit", typed: "source <(keyvault-injector completion zsh)" },
      { result: "fish", typed: "keyvault-injector completion fish | source" },
    ],
    words: SHELLS,
    options: [],
    arguments: 1,
    run: async ({ arguments: [word] }) => {
      const shell = SHELLS.find((known) => known === word);
      if (shell !== undefined) return answered(SCRIPTS[shell](commands()));
      const said = word === undefined ? "no shell is specified" : `${JSON.stringify(word)} is not a supported shell`;
      throw new CommandFailure(`${said}; ${spellingAdvice(word ?? "", SHELLS)}`);
    },
  };
}

const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly words: readonly string[];
  readonly formats: readonly string[];
  readonly options: readonly CommandOption[];
}

/** Script for each shell. Each script is self-contained: the shell does not run the program while the user types. */
const SCRIPTS: Readonly<Record<Shell, (commands: readonly Command[]) => string>> = {
  bash: (commands) => bashScript(completedOf(commands)),
  zsh: (commands) => zshScript(completedOf(commands)),
  fish: (commands) => fishScript(completedOf(commands)),
};

function completedOf(commands: readonly Command[]): readonly Completed[] {
  const own = commands.map((command): Completed => {
    const { name, summary, words = [], formats = [] } = command;
    return { name, summary, words, formats, options: optionsOf(command) };
  });
  const nothing = { words: [], formats: [], options: [] };
  const help = { ...nothing, name: "help", summary: "Print the help of a command.", words: own.map(({ name }) => name) };
  return [...own, help];
}

const flagsOf = (options: Completed["options"]): readonly string[] =>
  options.flatMap(({ name, short }) => [...(short === undefined ? [] : [`-${short}`]), `--${name}`]);

/** Returns a `case` pattern of the flags whose value is a file or a folder. */
const pathFlags = (all: readonly Completed[]): string =>
  [...new Set(flagsOf(all.flatMap(({ options }) => options.filter(isPath))))].join("|");

const isPath = ({ value }: CommandOption): boolean => value?.startsWith("FILE") === true || value === "DIR";

/** Returns one `case` line for each command that has `-o`. `complete` turns the command's formats into shell code. */
const formatCases = (all: readonly Completed[], complete: (formats: string) => string): string =>
  all
    .filter(({ formats }) => formats.length > 0)
    .map(({ name, formats }) => `      ${name}) ${complete(formats.join(" "))} ;;`)
    .join("\n");

function bashScript(all: readonly Completed[]): string {
  const cases = all.map((each) => `    ${each.name}) words="${[...each.words, ...flagsOf(each.options)].join(" ")}" ;;`);
  return `# bash completion of keyvault-injector
_keyvault_injector() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  case "$previous" in
    ${pathFlags(all)}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    -o|--output) case "\${COMP_WORDS[1]}" in
${formatCases(all, (formats) => `COMPREPLY=($(compgen -W "${formats}" -- "$current"))`)}
    esac; return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${[...all.map(({ name }) => name), ...PROCESSES].join(" ")}"
  else
    case "\${COMP_WORDS[1]}" in
${cases.map((line) => `  ${line}`).join("\n")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ "\${COMP_WORDS[1]}" = render ] || [ "\${COMP_WORDS[1]}" = convert ]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _keyvault_injector keyvault-injector
`;
}

function zshScript(all: readonly Completed[]): string {
  const described = all.map(({ name, summary }) => `    ${shellQuoted(`${name}:${summary}`)}`);
  const cases = all.map((each) => `    ${each.name}) compadd -- ${[...each.words, ...flagsOf(each.options)].join(" ")} ;;`);
  return `#compdef keyvault-injector
_keyvault_injector() {
  local -a commands
  commands=(
${described.join("\n")}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case "\${words[CURRENT-1]}" in
    ${pathFlags(all)}) _files; return ;;
    -o|--output) case "\${words[2]}" in
${formatCases(all, (formats) => `compadd -- ${formats}`)}
    esac; return ;;
  esac
  case "\${words[2]}" in
${cases.join("\n")}
  esac
  if [[ "\${words[2]}" == (render|convert) ]]; then _files; fi
}
compdef _keyvault_injector keyvault-injector
`;
}

function fishScript(all: readonly Completed[]): string {
  const start = "complete -c keyvault-injector";
  const lines = all.flatMap(({ name, summary, words, options }) => [
    `${start} -f -n __fish_use_subcommand -a ${name} -d ${shellQuoted(summary)}`,
    ...(words.length === 0 ? [] : [`${start} -f -n '__fish_seen_subcommand_from ${name}' -a '${words.join(" ")}'`]),
    ...options.map((option) => `${start} -n '__fish_seen_subcommand_from ${name}' ${fishOption(option)}`),
  ]);
  return `# fish completion of keyvault-injector\n${lines.join("\n")}\n`;
}

function fishOption(option: CommandOption): string {
  const { name, short, value, choices, help } = option;
  const takes = value === undefined ? "" : choices !== undefined ? ` -x -a '${choices.join(" ")}'` : isPath(option) ? " -r -F" : " -x";
  return `-l ${name}${short === undefined ? "" : ` -s ${short}`}${takes} -d ${shellQuoted(help)}`;
}
