import { connectEmulator } from "../control/admin-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { disturbanceCommands } from "./disturbance-commands.ts";
import { identityCommands } from "./identity-commands.ts";
import { objectCommands } from "./object-commands.ts";
import { secretCommands } from "./secret-commands.ts";
import { SERVE_HELP, serve } from "./serve.ts";
import { signInCommands } from "./sign-in-commands.ts";

const commands: readonly Command[] = [...identityCommands, ...secretCommands, ...objectCommands, ...disturbanceCommands, ...signInCommands];

const HELP = `Key Vault emulator: Azure Key Vault and the Entra sign-in it needs, on this machine only.

Usage: main.ts COMMAND [arguments] [--state-dir DIR]

  ${SERVE_HELP}
${commands.map((command) => `  ${usageOf(command)}\n      ${command.help}`).join("\n")}

Every command but serve talks to a running emulator: name its state folder by --state-dir or KEY_VAULT_EMULATOR_DIR.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
`;

/** Runs one command line. Throws UsageError or EmulatorInputError for mistakes that the user can fix. */
export async function dispatch(args: readonly string[], environmentDir: string | undefined): Promise<string> {
  const [first = "--help"] = args;
  if (["--help", "-h", "help"].includes(first) || args.includes("--help")) return HELP;
  if (first === "serve") {
    await serve(args.slice(1), environmentDir);
    return "";
  }
  const command = commands.find(({ name }) => args.slice(0, name.split(" ").length).join(" ") === name);
  if (command === undefined) throw new UsageError(`no command ${args.slice(0, 2).join(" ")}; --help lists them`);
  return `${await runCommand(command, args.slice(command.name.split(" ").length), environmentDir)}\n`;
}

async function runCommand(command: Command, args: readonly string[], environmentDir: string | undefined): Promise<string> {
  const options = { ...command.options, "state-dir": { type: "string" } } as const;
  const { values, positionals } = parseCommandLine(args, options);
  const least = command.arguments.filter((name) => !name.startsWith("[")).length;
  if (positionals.length < least || positionals.length > command.arguments.length) {
    throw new UsageError(`usage: ${usageOf(command)}`);
  }
  const stateDir = values["state-dir"] ?? environmentDir;
  if (typeof stateDir !== "string") throw new UsageError("name the emulator's folder: --state-dir DIR or KEY_VAULT_EMULATOR_DIR");
  return command.run({ emulator: await connectEmulator(stateDir), arguments: positionals, flags: values });
}

function usageOf({ name, arguments: names }: Command): string {
  return [name, ...names].join(" ");
}
