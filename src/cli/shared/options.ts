import { type ParseArgsConfig, parseArgs } from "node:util";
import { failed, ok, type Result } from "../../domain/result.ts";
import { nearestSpelling } from "../../domain/spelling.ts";

export interface Option {
  readonly short?: string;
  /** Word for the value in `--help`; undefined for a switch. */
  readonly value?: string;
  readonly isRepeatable?: boolean;
  /** Allowed values; absent: any. */
  readonly choices?: readonly string[];
  /** One sentence. */
  readonly help: string;
}

/** Names as in docs/reference/injection-modes.md. */
export const INJECTION_MODES = ["webhook", "policy", "both"] as const;

/**
 * Every option of the commands, once: a name has the same meaning everywhere, but a command can explain it for its own objects.
 * `docs/reference/cli.md` is checked against this list.
 */
export const OPTIONS = {
  filename: {
    short: "f",
    value: "FILE",
    isRepeatable: true,
    help: "YAML or JSON manifests: a file, a folder, an http:// or https:// URL, or - for standard input. Repeatable.",
  },
  recursive: { short: "R", help: "Include subfolders of a -f folder." },
  kustomize: {
    short: "k",
    value: "DIR",
    isRepeatable: true,
    help: "Folder of a kustomization, which kubectl on PATH builds. Repeatable.",
  },
  namespace: {
    short: "n",
    value: "NAME",
    help: "Namespace of objects that do not specify one. Default: the kubeconfig's namespace, or default.",
  },
  output: { short: "o", value: "FORMAT", help: "Output format" },
  client: { help: "Print only this program's version (the default)." },
  offline: { help: "Do not contact a cluster. Classes and Namespaces come only from the files." },
  "all-namespaces": { short: "A", help: "All namespaces (the default)." },
  context: { value: "NAME", help: "Context of the kubeconfig. Default: the current context." },
  kubeconfig: { value: "FILE", help: "Kubeconfig file. Default: as for kubectl." },
  "install-namespace": { value: "NAME", help: "Namespace in which keyvault-injector is installed. Default: keyvault-injector." },
  "no-vaults": { help: "Do not read credentials, and do not query vaults." },
  list: { help: "List the snapshots and the state of their classes, without restoring anything." },
  all: { help: "Restore all missing classes." },
  "dry-run": { help: "Have the API server check the changes without storing them." },
  force: { help: "Overwrite existing classes with their snapshots. The command shows the differences even without this option." },
  "strict-annotations": {
    help: "Deny unknown annotations under keyvault-injector.dev/, as the webhook does with the setting of this name.",
  },
  "injection-mode": {
    value: "MODE",
    choices: INJECTION_MODES,
    help: "What injects pods: webhook, policy, or both. Default: the mode of the cluster, or webhook without a cluster.",
  },
  port: { value: "NUMBER", help: "Port on 127.0.0.1. Default: a free port." },
  vault: { value: "VAULT", help: "Only objects in this vault, specified by its name or address." },
  expiring: { value: "TIME", help: "Only objects that have expired or will expire within this time, such as 30d, 36h, or 90m." },
  wait: { help: "Wait until everything is up to date, or until --timeout expires." },
  timeout: {
    value: "TIME",
    help: "Maximum time to wait, such as 5m. Default: the driver's maximum update time plus one minute, at most 1h.",
  },
  "fail-on-warnings": { help: "Exit with code 1 if there is a warning." },
  partial: { help: "If a key cannot be converted, omit only this key, instead of its whole Secret." },
  adopt: { help: "Let the classes take over existing Secrets. Each Secret must consent with an annotation." },
  "tenant-id": { value: "ID", help: "Tenant ID of the vaults, if the manifests do not specify it." },
  "client-id": { value: "ID", help: "Client ID for workload identity, if the manifests do not specify it. Use with --service-account." },
  "service-account": { value: "NAME", help: "ServiceAccount for workload identity, if the manifests do not specify it." },
  "identity-id": { value: "ID", help: "Client ID of the nodes' managed identity, if the manifests do not specify it." },
  account: { value: "NAME", isRepeatable: true, help: "Limit the command to this ServiceAccount. Repeatable." },
  "managed-identity": {
    help: "Limit the command to the managed identity of the worker's node. --apply grants this identity only with this option.",
  },
  apply: { help: "Add the missing grants, with your own permissions." },
  prepare: { help: "Mark the install for removal, and remove the binding of the final check." },
  undo: { help: "Revert --prepare." },
  help: { short: "h", help: "Print this help text." },
} as const satisfies Record<string, Option>;

export type OptionName = Exclude<keyof typeof OPTIONS, "help">;

/** Given values by option. A given switch has the value `true`; only `all-namespaces`, which is the default, may be `false`. */
export type OptionValues = Readonly<Partial<Record<OptionName, readonly string[]>>>;

export interface ParsedArguments {
  readonly options: OptionValues;
  readonly arguments: readonly string[];
  readonly isHelpWanted: boolean;
}

/** Parts of a command that the parser of its arguments needs. */
export interface Syntax {
  readonly options: readonly OptionName[];
  /** Formats for `-o`, the default first; absent if the command has no `-o`. */
  readonly formats?: readonly string[];
  /** Help for options whose general sentence says too little about this command. */
  readonly optionHelp?: Readonly<Partial<Record<OptionName, string>>>;
  /** Maximum number of words besides the options. */
  readonly arguments: number;
  /** Says how many words the command takes, for a message about one too many, such as `refresh takes one class`. */
  readonly argumentsText?: string;
}

/** An option of one command. */
export interface CommandOption extends Option {
  readonly name: OptionName | "help";
}

/** Returns the options of a command, `--help` included, for parsing, help, and completion. */
export function optionsOf({ options, formats = [], optionHelp = {} }: Syntax): readonly CommandOption[] {
  const own = options.map((name): CommandOption => {
    const option: Option = OPTIONS[name];
    if (name === "output") return { ...option, name, choices: formats, help: `${option.help}: ${formatsText(formats)}.` };
    return { ...option, name, help: optionHelp[name] ?? option.help };
  });
  return [...own, { name: "help", ...OPTIONS.help }];
}

function formatsText([first = "", ...others]: readonly string[]): string {
  return [`${first} (default)`, ...others].join(", ");
}

export interface RefusedArguments {
  readonly problems: readonly string[];
  /** Options that are valid by themselves. */
  readonly options: OptionValues;
}

const EVERY_OPTION: ReadonlyMap<string, Option> = new Map(Object.entries(OPTIONS));

/** Moves options in front of a command's name behind it, as kubectl accepts them: `-n team-a doctor` is the same as `doctor -n team-a`. */
export function commandFirst(argv: readonly string[]): readonly string[] {
  const args = withLongSwitches(argv, EVERY_OPTION);
  const { tokens } = parseArgs({ args, options: parserOptions(EVERY_OPTION), strict: false, allowPositionals: true, tokens: true });
  const at = tokens.find(({ kind }) => kind === "positional")?.index ?? 0;
  return [...argv.slice(at, at + 1), ...argv.slice(0, at), ...argv.slice(at + 1)];
}

function parserOptions(options: Iterable<readonly [string, Option]>): NonNullable<ParseArgsConfig["options"]> {
  return Object.fromEntries(
    [...options].map(([name, { short, value }]) => [
      name,
      { type: value === undefined ? ("boolean" as const) : ("string" as const), ...(short === undefined ? {} : { short }) },
    ]),
  );
}

/** Parses a command's arguments. Reports all problems at once, each with what to write instead. */
export function parseArguments(argv: readonly string[], syntax: Syntax): Result<ParsedArguments, RefusedArguments> {
  const known = new Map(optionsOf(syntax).map((option): [string, CommandOption] => [option.name, option]));
  const options = parserOptions(known);
  const { tokens } = parseArgs({ args: withLongSwitches(argv, known), options, strict: false, allowPositionals: true, tokens: true });
  const problems: string[] = [];
  const values = new Map<string, string[]>();
  const isUnknown = (token: (typeof tokens)[number] | undefined): boolean =>
    token?.kind === "option" && token.value === undefined && !known.has(token.name);
  // The word after an unknown option may be its value.
  const words = tokens.flatMap((token, index) => (token.kind === "positional" && !isUnknown(tokens[index - 1]) ? [token.value] : []));
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const value = valueIn(token);
    const problem = optionProblem({ ...token, value }, known, values);
    if (problem === undefined) keepValue(values, token.name, known.get(token.name)?.value === undefined ? switchValue(value) : value);
    else problems.push(problem);
  }
  if (words.length > syntax.arguments)
    problems.push(unexpectedWord(words[syntax.arguments] ?? "", [...known.keys()], syntax.argumentsText));
  if (values.get("all-namespaces")?.[0] === "true" && values.has("namespace"))
    problems.push("-A and -n contradict each other; write one of them");
  const isHelpWanted = values.delete("help");
  const given = Object.fromEntries(values) as OptionValues; // Its keys are those of `known`.
  if (problems.length > 0 && !isHelpWanted) return failed({ problems, options: given });
  return ok({ options: given, arguments: words, isHelpWanted });
}

/** Values of a switch, as kubectl accepts them (strconv.ParseBool of Go). */
const SWITCH_VALUES: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((word): [string, boolean] => [word, true]),
  ...["0", "f", "F", "FALSE", "false", "False"].map((word): [string, boolean] => [word, false]),
]);

function switchValue(word = "true"): boolean {
  return SWITCH_VALUES.get(word) === true;
}

/**
 * Stores a value. Of a repeated switch, the last one counts. `--offline=false` is the same as no `--offline`. `-A=false` is stored, because
 * the default is all namespaces.
 */
function keepValue(values: Map<string, string[]>, name: string, value: string | boolean | undefined): void {
  if (typeof value !== "boolean") values.set(name, [...(values.get(name) ?? []), value ?? ""]);
  else if (value || name === "all-namespaces") values.set(name, [String(value)]);
  else values.delete(name);
}

/** Rewrites `-A=false` to its long form: Node takes what follows the letter of a switch for more letters. */
function withLongSwitches(argv: readonly string[], known: ReadonlyMap<string, Option>): string[] {
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  return argv.map((word, index) => {
    const [, letter, value] = /^-([A-Za-z])=(.*)$/s.exec(word) ?? [];
    const [name, option] = [...known].find(([, { short }]) => letter !== undefined && short === letter) ?? [];
    return index < end && option !== undefined && option.value === undefined ? `--${name}=${value}` : word;
  });
}

function unexpectedWord(word: string, options: readonly string[], argumentsText: string | undefined): string {
  const advice = options.includes(word) ? `did you mean --${word}?` : argumentsText;
  return `unexpected argument ${JSON.stringify(word)}${advice === undefined ? "" : `; ${advice}`}`;
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

/** Returns the value. `-o=json` means the same as `-ojson` and `-o json`. */
function valueIn({ rawName, value, inlineValue }: OptionToken): string | undefined {
  return !rawName.startsWith("--") && inlineValue === true ? value?.replace(/^=/, "") : value;
}

function optionProblem(
  { name, rawName, value, inlineValue }: OptionToken,
  known: ReadonlyMap<string, CommandOption>,
  given: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const option = known.get(name);
  if (option === undefined) return unknownOption(rawName, [...known.keys()]);
  if (option.value === undefined)
    return value === undefined || SWITCH_VALUES.has(value) ? undefined : `${rawName} takes no value; write ${rawName} alone`;
  const looksLikeOption = value !== undefined && value.length > 1 && value.startsWith("-") && inlineValue !== true;
  if (value === undefined || value === "" || looksLikeOption) return `${rawName} needs a value; write ${rawName} ${option.value}`;
  if (option.choices !== undefined && !option.choices.includes(value)) {
    return `${rawName}: ${JSON.stringify(value)} is not a valid ${option.value.toLowerCase()}; write one of ${option.choices.join(", ")}`;
  }
  const isTwice = option.isRepeatable !== true && given.has(name);
  return isTwice ? `${rawName} is given twice; write it once` : undefined;
}

function unknownOption(rawName: string, known: readonly string[]): string {
  const nearest = rawName.startsWith("--") ? nearestSpelling(rawName.slice(2), known) : sameLetter(rawName.slice(1), known);
  const advice = nearest === undefined ? `this command has ${known.map((each) => `--${each}`).join(", ")}` : `did you mean --${nearest}?`;
  return `unknown option ${rawName}; ${advice}`;
}

/** Returns the option whose last word is that of another command's option with this letter, such as `install-namespace` for `-n`. */
function sameLetter(letter: string, known: readonly string[]): string | undefined {
  const [elsewhere] = Object.entries<Option>(OPTIONS).find(([, { short }]) => short === letter) ?? [];
  return elsewhere === undefined ? undefined : known.find((name) => name.endsWith(`-${elsewhere}`));
}

/** Returns a line such as `-f, --filename FILE`, and the option's sentence below it. */
export function describeOption({ name, short, value, help }: CommandOption): string {
  const flags = [...(short === undefined ? [] : [`-${short}`]), `--${name}`].join(", ");
  return `  ${flags}${value === undefined ? "" : ` ${value}`}\n      ${help}`;
}

/** Returns the only value of an option that users can give once. */
export function valueOf(options: OptionValues, name: OptionName): string | undefined {
  return options[name]?.[0];
}

/** Returns the only namespace to cover, by `-n`, or the kubeconfig's by `-A=false`; undefined for all namespaces, the default. */
export function namespaceWithin(options: OptionValues, current: string): string | undefined {
  return valueOf(options, "namespace") ?? (valueOf(options, "all-namespaces") === "false" ? current : undefined);
}
